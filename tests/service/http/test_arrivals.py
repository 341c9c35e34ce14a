from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import ExitStack

import pytest

from service.http.arrivals import Arrival, Arrivals, Pace
from service.http.gate import Gate
from service.refusals import Overloaded, Refusal

PACE = Pace(1000, 600.0)


async def _silence() -> AsyncIterator[bytes]:
    await asyncio.sleep(600)
    yield b""


async def _at_once(size: int) -> AsyncIterator[bytes]:
    yield bytes(size)
    await asyncio.sleep(600)


async def _waiting(arrival: Arrival) -> asyncio.Task[bytes | None]:
    """The task that waits for a client that sends nothing."""
    task = asyncio.create_task(arrival.next_piece(_silence(), math.inf))
    await asyncio.sleep(0.01)
    return task


def _gate(limit: int, share: int | None = None) -> Gate:
    return Gate(limit, lambda: 7, share=share)


def test_the_body_that_is_furthest_behind_gives_way_and_its_places_are_free_at_once() -> None:
    async def story() -> None:
        places, content, arrivals = _gate(2), _gate(100), Arrivals(PACE)
        with ExitStack() as held:
            first, second = (
                held.enter_context(arrivals.enter(name, {content: 40, places: 1})) for name in ("a", "b")
            )
            tasks = [await _waiting(arrival) for arrival in (first, second)]
            held.enter_context(arrivals.enter("c", {content: 40, places: 1}))
            assert (places.inside, content.inside) == (2, 80)
            with pytest.raises(Overloaded) as caught:
                await tasks[0]
            assert caught.value.headers["Retry-After"] == "7"
            assert not tasks[1].done()
            tasks[1].cancel()
        assert (places.inside, content.inside) == (0, 0)

    asyncio.run(story())


def test_a_body_in_time_keeps_its_place_and_so_does_a_whole_one() -> None:
    async def story() -> None:
        places, arrivals = _gate(2), Arrivals(PACE)
        with ExitStack() as held:
            quick, whole = (held.enter_context(arrivals.enter(name, {places: 1})) for name in ("a", "b"))
            assert len(await quick.next_piece(_at_once(60_000), math.inf) or b"") == 60_000
            waiting = await _waiting(quick)

            async def nothing_more() -> AsyncIterator[bytes]:
                await asyncio.sleep(0.01)
                for piece in ():
                    yield piece

            assert await whole.next_piece(nothing_more(), math.inf) is None
            assert arrivals.in_time(places) == 2
            with pytest.raises(Overloaded), arrivals.enter("c", {places: 1}):
                pass
            waiting.cancel()

    asyncio.run(story())


def test_a_client_at_its_share_displaces_only_its_own() -> None:
    async def story() -> None:
        places, arrivals = _gate(4, share=1), Arrivals(PACE)
        with ExitStack() as held:
            other, own = (held.enter_context(arrivals.enter(name, {places: 1})) for name in ("other", "one"))
            tasks = [await _waiting(arrival) for arrival in (other, own)]
            held.enter_context(arrivals.enter("one", {places: 1}))
            with pytest.raises(Overloaded):
                await tasks[1]
            assert not tasks[0].done()
            assert places.inside == 2
            tasks[0].cancel()

    asyncio.run(story())


def test_nobody_gives_way_where_that_makes_too_little_room() -> None:
    async def story() -> None:
        content, arrivals = _gate(100), Arrivals(PACE)
        with content.enter("scored", 50), arrivals.enter("slow", {content: 10}) as slow:
            task = await _waiting(slow)
            with pytest.raises(Overloaded), arrivals.enter("large", {content: 60}):
                pass
            assert not task.done()
            assert slow.held(content) == 10
            task.cancel()

    asyncio.run(story())


def test_without_a_pace_nobody_is_late_and_without_grace_a_slow_body_is_refused() -> None:
    async def story() -> None:
        places, arrivals = _gate(1), Arrivals(Pace(0, 600.0))
        with arrivals.enter("slow", {places: 1}) as slow:
            task = await _waiting(slow)
            with pytest.raises(Overloaded), arrivals.enter("quick", {places: 1}):
                pass
            task.cancel()
        with pytest.raises(Refusal) as caught:
            await Arrival(Pace(1000, 0.01)).next_piece(_silence(), math.inf)
        assert (caught.value.status, caught.value.code) == (408, "body_timeout")

    asyncio.run(story())
