"""Channels without a unit of their own, in spreads of good parts from their median."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recipes.measured import rounded
from recipes.usual import Usual

_SQUASHED = 3.0
"""Spreads from which a channel counts by its logarithm: edges of features are far from usual."""
_DEVIATIONS = 1.4826
"""Standard deviation of a normal distribution, in median distances from its median."""
_LEAST_SPREAD = 0.1
"""Smallest spread, in standard deviations, where half of the patches hardly differ."""


def usual_of(rows: NDArray[np.float64]) -> Usual:
    """Median and spread of each channel. rows: (n, channels). A channel that does not vary has a spread
    of 1."""
    centre = np.median(rows, axis=0)
    spread = _DEVIATIONS * np.median(np.abs(rows - centre), axis=0)
    spread = np.maximum(spread, _LEAST_SPREAD * rows.std(axis=0))
    return tuple(
        (rounded(float(middle)), rounded(float(width)) if width > 1e-6 else 1.0)
        for middle, width in zip(centre, spread, strict=True)
    )


def in_spreads(rows: NDArray[np.float64], usual: Usual) -> NDArray[np.float64]:
    """Channels as measured, (n, channels), in spreads from their median; far values by their logarithm."""
    centre, spread = np.array(usual).T
    return _SQUASHED * np.arcsinh((rows - centre) / (_SQUASHED * spread))
