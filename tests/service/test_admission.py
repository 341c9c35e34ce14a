from __future__ import annotations

import asyncio
from contextlib import ExitStack

import pytest

from service.admission import Gate
from service.problems import Overloaded


async def _wait_in(gate: Gate, go_on: asyncio.Event) -> None:
    async with gate.turn():
        await go_on.wait()


def test_those_who_wait_get_half_of_the_places() -> None:
    async def story() -> None:
        gate, go_on = Gate(4, lambda: 7), asyncio.Event()
        waiting = [asyncio.create_task(_wait_in(gate, go_on)) for _ in range(6)]
        await asyncio.sleep(0)
        assert gate.inside == 2
        with gate.enter(), gate.enter():
            with pytest.raises(Overloaded) as caught, gate.enter():
                pass
            assert caught.value.headers["Retry-After"] == "7"
        go_on.set()
        await asyncio.gather(*waiting)
        assert gate.inside == 0

    asyncio.run(story())


def test_one_client_holds_its_share_at_most_and_others_the_rest() -> None:
    gate = Gate(4, lambda: 7, share=2)
    with ExitStack() as held:
        for _ in range(2):
            held.enter_context(gate.enter("one"))
        with pytest.raises(Overloaded), gate.enter("one"):
            pass
        held.enter_context(gate.enter("two"))
        held.enter_context(gate.enter("three"))
        with pytest.raises(Overloaded), gate.enter("four"):
            pass
    with gate.enter("one"), gate.enter("one"):
        assert gate.inside == 2


def test_one_who_waits_comes_in_once_a_place_is_free() -> None:
    async def story() -> None:
        gate, go_on = Gate(2, lambda: 1), asyncio.Event()
        held = ExitStack()
        for _ in range(2):
            held.enter_context(gate.enter())
        waiting = asyncio.create_task(_wait_in(gate, go_on))
        await asyncio.sleep(0)
        assert not waiting.done()
        held.close()
        go_on.set()
        await waiting
        assert gate.inside == 0

    asyncio.run(story())
