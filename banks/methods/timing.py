"""How long a step takes on this machine."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

_REPEATS = 3


def median_ms(run: Callable[[], object]) -> float:
    """Milliseconds of a run, the median of three. The first run is slower and does not count."""
    run()
    times = []
    for _ in range(_REPEATS):
        start = time.perf_counter()
        run()
        times.append(1000 * (time.perf_counter() - start))
    return median(times)
