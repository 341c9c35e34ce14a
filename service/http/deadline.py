"""The deadline of a request. A request that is late never gets the answer of a request in time."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from service.refusals import DeadlinePassed


class Clock:
    """The time of one request, counted from the creation of this object, on the clock of time.monotonic."""

    def __init__(self, most_ms: int | None = None) -> None:
        """most_ms: the client's own deadline, in milliseconds."""
        self._arrived = time.monotonic()
        self.deadline = math.inf if most_ms is None else self._arrived + most_ms / 1000
        self._limit: asyncio.Timeout | None = None

    @property
    def spent_ms(self) -> float:
        """Milliseconds since the request arrived."""
        return (time.monotonic() - self._arrived) * 1000

    def shorten(self, seconds: float) -> None:
        """Move the deadline to at most `seconds` from now."""
        self.deadline = min(self.deadline, time.monotonic() + seconds)
        if self._limit is not None:
            self._limit.reschedule(self._on_loop())

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Put the work of the request inside. Raises DeadlinePassed if the work ends after the deadline."""
        try:
            async with asyncio.timeout_at(self._on_loop()) as self._limit:
                yield
        except TimeoutError:
            raise DeadlinePassed from None
        if time.monotonic() > self.deadline:
            raise DeadlinePassed

    def _on_loop(self) -> float | None:
        """The deadline on the event loop's clock."""
        if self.deadline == math.inf:
            return None
        return self.deadline - time.monotonic() + asyncio.get_running_loop().time()
