"""How long a request may take: what is late is never answered as if it were not."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from service.refusals import DeadlinePassed


class Clock:
    """One request's time, on the clock of time.monotonic, from the making of this object on."""

    def __init__(self, most_ms: int | None = None) -> None:
        """most_ms: the client's own deadline."""
        self._arrived = time.monotonic()
        self.deadline = math.inf if most_ms is None else self._arrived + most_ms / 1000
        self._limit: asyncio.Timeout | None = None

    @property
    def spent_ms(self) -> float:
        """Milliseconds since the request arrived."""
        return (time.monotonic() - self._arrived) * 1000

    def shorten(self, seconds: float) -> None:
        """End at the latest in `seconds` from now."""
        self.deadline = min(self.deadline, time.monotonic() + seconds)
        if self._limit is not None:
            self._limit.reschedule(self._on_loop())

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Around the work: ended with DeadlinePassed when the deadline passes, also if nothing waits then."""
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
