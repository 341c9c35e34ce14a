"""How often a key may score: a bucket of tokens each, filled at its rate. For the event loop only."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from service.refusals import Refusal

BURST_S = 2.0
"""Seconds' worth of requests that may come at once, after a pause as long."""


class Rates:
    """The buckets of all keys, by name. clock: seconds that never go back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}  # tokens, and when they were counted

    def take(self, name: str, rate: float) -> Refusal | None:
        """Take one token of a key that may ask `rate` times a second; the refusal where there is none."""
        most, now = max(1.0, rate * BURST_S), self._clock()
        tokens, counted = self._buckets.get(name, (most, now))
        tokens = min(most, tokens + (now - counted) * rate)
        self._buckets[name] = tokens - 1 if tokens >= 1 else tokens, now
        if tokens >= 1:
            return None
        wait = math.ceil((1 - tokens) / rate)
        detail = f"This key may score {rate:g} times a second. Send the request again in {wait} s."
        return Refusal(429, "rate_exceeded", detail, headers={"Retry-After": str(wait)})
