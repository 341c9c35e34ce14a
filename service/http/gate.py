"""How many requests may be in one stage at once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

from service.refusals import Overloaded


def half(places: int) -> int:
    """What one client may hold of them: half, rounded up."""
    return -(-places // 2)


class Gate:
    """Lets requests through that take `limit` places at once, and refuses the others. For the event loop
    only."""

    def __init__(
        self,
        limit: int,
        retry_after_s: Callable[[], int],
        *,
        share: int | None = None,
        one_more_each: bool = False,
    ) -> None:
        """share: places that one client holds at most; None is all. `shared` gives each client half.
        one_more_each: whether a client without a place is let in above the limit too, until twice as many are
        inside."""
        self.limit = limit
        self.inside = 0
        self._share = limit if share is None else share
        self._above = limit if one_more_each else 0
        self._held: Counter[str] = Counter()
        self._retry_after_s = retry_after_s
        self._patient = asyncio.Semaphore(max(1, limit // 2))
        self._left = asyncio.Event()

    @classmethod
    def shared(cls, limit: int, retry_after_s: Callable[[], int], *, fewest: int = 1) -> Gate:
        """One of which a client holds half at most: it cannot keep all others out. fewest: its share at
        least."""
        return cls(limit, retry_after_s, share=max(fewest, half(limit)))

    @property
    def full(self) -> bool:
        """Whether no place is left."""
        return self.inside >= self.limit

    def beyond_share(self, client: str, places: int) -> int:
        """How many more places the client would hold than its share."""
        return self._held[client] + places - self._share

    def missing(self, client: str, places: int) -> int:
        """How many places have to be given back before the client may hold so many more; 0 or less: none."""
        limit = self.limit + (0 if self._held[client] else self._above)
        return max(self.inside + places - limit, self.beyond_share(client, places))

    def refusal(self) -> Overloaded:
        """For a request that has no place here."""
        return Overloaded(self._retry_after_s())

    @contextmanager
    def enter(self, client: str = "", places: int = 1) -> Iterator[None]:
        """Hold places. client: whose share they are of. Raises Overloaded."""
        if self.missing(client, places) > 0:
            raise self.refusal()
        self.inside += places
        self._held[client] += places
        try:
            yield
        finally:
            self.inside -= places
            self._held[client] -= places
            self._held += Counter()  # forgets who holds none
            self._left.set()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a place, then hold it. Those who wait get half of the places at most, so that they never
        take all from those who do not; the only place, where there is one, they share."""
        async with self._patient:
            while self.full:
                self._left.clear()
                await self._left.wait()
            with self.enter():
                yield
