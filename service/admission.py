"""How many requests may be in one stage at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

from service.problems import Overloaded


class Gate:
    """Lets `limit` requests through at once and refuses the others. For the event loop only."""

    def __init__(self, limit: int, retry_after_s: Callable[[], int]) -> None:
        self.limit = limit
        self.inside = 0
        self._retry_after_s = retry_after_s
        self._patient = asyncio.Semaphore(max(1, limit // 2))
        self._left = asyncio.Event()

    @contextmanager
    def enter(self) -> Iterator[None]:
        """Hold one place. Raises Overloaded."""
        if self.inside >= self.limit:
            raise Overloaded(self._retry_after_s())
        self.inside += 1
        try:
            yield
        finally:
            self.inside -= 1
            self._left.set()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a place, then hold it. Those who wait get half of the places at most, so that they never
        take all from those who do not."""
        async with self._patient:
            while self.inside >= self.limit:
                self._left.clear()
                await self._left.wait()
            with self.enter():
                yield
