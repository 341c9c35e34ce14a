"""How measured times are summed up."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def spread(times: Sequence[float]) -> dict[str, float]:
    """Median, 90th percentile and largest of at least one time, in its unit."""
    p50, p90 = np.quantile(times, [0.5, 0.9])
    return {"p50": float(p50), "p90": float(p90), "max": max(times)}
