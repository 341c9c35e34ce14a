from __future__ import annotations

import pytest

from models.lazy_sequence import LazySequence


def test_an_item_is_read_when_it_is_asked_for_and_not_kept() -> None:
    asked: list[int] = []

    def read(number: int) -> str:
        asked.append(number)
        return "abc"[number]

    items = LazySequence(3, read)
    assert (len(items), asked) == (3, [])
    assert (items[2], items[2]) == ("c", "c")
    assert asked == [2, 2]
    assert list(items) == ["a", "b", "c"]
    with pytest.raises(IndexError):
        items[3]
