"""Rate limits: each key has a bucket of tokens that fills at the rate of the key. For the event loop only."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from service.refusals import Refusal

BURST_S = 2.0
"""Size of a bucket: the tokens of so many seconds may be spent at once."""


class Rates:
    """The buckets of all keys, by name. clock: returns monotonic seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}  # tokens, and when they were counted

    def spend(self, name: str, rate: float) -> Refusal | None:
        """Spend one token of a key. Returns the refusal if no token is left. rate: tokens a second."""
        most, now = max(1.0, rate * BURST_S), self._clock()
        tokens, counted = self._buckets.get(name, (most, now))
        tokens = min(most, tokens + (now - counted) * rate)
        self._buckets[name] = tokens - 1 if tokens >= 1 else tokens, now
        if tokens >= 1:
            return None
        wait = math.ceil((1 - tokens) / rate)
        detail = f"This key may send {rate:g} parts or batches a second. Send the request again in {wait} s."
        return Refusal(429, "rate_exceeded", detail, headers={"Retry-After": str(wait)})
