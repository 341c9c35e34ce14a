"""How many requests may be in one stage at once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

from service.problems import Overloaded


class Gate:
    """Lets `limit` requests through at once and refuses the others. For the event loop only."""

    def __init__(self, limit: int, retry_after_s: Callable[[], int], *, share: int | None = None) -> None:
        """share: places that one client holds at most; None is all."""
        self.limit = limit
        self.inside = 0
        self._share = limit if share is None else share
        self._held: Counter[str] = Counter()
        self._retry_after_s = retry_after_s
        self._patient = asyncio.Semaphore(max(1, limit // 2))
        self._left = asyncio.Event()

    @contextmanager
    def enter(self, client: str = "") -> Iterator[None]:
        """Hold one place. client: whose share it is of. Raises Overloaded."""
        if self.inside >= self.limit or self._held[client] >= self._share:
            raise Overloaded(self._retry_after_s())
        self.inside += 1
        self._held[client] += 1
        try:
            yield
        finally:
            self.inside -= 1
            self._held[client] -= 1
            self._held += Counter()  # forgets who holds none
            self._left.set()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a place, then hold it. Those who wait get half of the places at most, so that they never
        take all from those who do not; the only place, where there is one, they share."""
        async with self._patient:
            while self.inside >= self.limit:
                self._left.clear()
                await self._left.wait()
            with self.enter():
                yield
