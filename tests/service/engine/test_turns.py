from __future__ import annotations

import pytest

from service.engine.turns import Turns


def test_products_take_turns_and_each_keeps_its_order() -> None:
    turns: Turns[str] = Turns()
    for name in ("a1", "a2", "a3", "b1", "c1", "b2"):
        turns.add(name[0], name)
    assert [turns.take() for _ in range(6)] == ["a1", "b1", "c1", "a2", "b2", "a3"]
    assert not turns
    with pytest.raises(KeyError):
        turns.take()


def test_all_that_waits_can_be_taken() -> None:
    turns: Turns[int] = Turns()
    for item in range(5):
        turns.add(str(item % 2), item)
    assert turns
    assert sorted(turns.clear()) == [0, 1, 2, 3, 4]
    assert not turns
