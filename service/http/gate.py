"""Gates: each gate bounds the number of requests in one stage."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

from service.refusals import Overloaded


def half(places: int) -> int:
    """The share of one client: half of the places, rounded up."""
    return -(-places // 2)


class Gate:
    """Holds at most `limit` places at once and refuses further requests. For the event loop only."""

    def __init__(
        self,
        limit: int,
        retry_after_s: Callable[[], int],
        *,
        share: int | None = None,
        one_more_each: bool = False,
    ) -> None:
        """
        retry_after_s: returns the seconds after which a refused client may try again.
        share: most places of one client; None allows all places.
        one_more_each: whether a client without a place may enter above the limit, up to twice the limit.
        """
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
        """A gate of which one client holds at most half, so that one client cannot keep all others out.

        fewest: the smallest share of a client.
        """
        return cls(limit, retry_after_s, share=max(fewest, half(limit)))

    @property
    def full(self) -> bool:
        """Whether no place is left."""
        return self.inside >= self.limit

    def beyond_share(self, client: str, places: int) -> int:
        """By how many places the client would exceed its share."""
        return self._held[client] + places - self._share

    def missing(self, client: str, places: int) -> int:
        """How many places must be released before the client may hold so many more. 0 or less: none."""
        limit = self.limit + (0 if self._held[client] else self._above)
        return max(self.inside + places - limit, self.beyond_share(client, places))

    def refusal(self) -> Overloaded:
        """The refusal of a request that finds no place."""
        return Overloaded(self._retry_after_s())

    @contextmanager
    def enter(self, client: str = "", places: int = 1) -> Iterator[None]:
        """Hold places. client: the client whose share the places count for. Raises Overloaded."""
        if self.missing(client, places) > 0:
            raise self.refusal()
        self.inside += places
        self._held[client] += places
        try:
            yield
        finally:
            self.inside -= places
            self._held[client] -= places
            self._held += Counter()  # drops clients that hold no place
            self._left.set()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a place, then hold the place. Waiting requests get at most half of the places, so that the
        other places stay free for requests that do not wait. A single place is shared by both."""
        async with self._patient:
            while self.full:
                self._left.clear()
                await self._left.wait()
            with self.enter():
                yield
