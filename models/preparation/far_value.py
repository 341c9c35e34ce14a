"""The number that a sensor writes for no return, found where nobody declared it."""

from __future__ import annotations

import numpy as np

from models.preparation.pitch import LINES
from models.sample import Sample
from recipes.sensor import METRES

_LEAST_SHARE = 0.002
"""Share of the points from which one number is no chance."""
_LEAST_POINTS = 8
_FAR = 2.0
"""Distance of that number from all other points, in longest sides of what these points span. A surface behind
a part is not so far, and no two of its points have exactly the same z."""
_OUTLIERS = 0.01
WAY_OUT = (
    "far from all other points. If the sensor writes this for no return, declare the number as the file "
    'stores it: {"invalid": NUMBER} in sensor.json.'
)
"""Ends a sentence about such a number."""


def far_value(sample: Sample) -> str | None:
    """The z that many points share exactly, far from all others, such as "-10000 mm"; or None.

    It is in the unit of the recording. Points in every n-th row and column are compared.
    """
    unit = sample.xyz_unit or "m"
    rows, columns = (slice(None, None, max(1, side // LINES)) for side in sample.valid.shape)
    points = sample.xyz[rows, columns][sample.valid[rows, columns]].astype(np.float64)
    if not len(points):
        return None
    z = points[:, 2]
    for value in (float(z.min()), float(z.max())):
        others = points[z != value]
        if len(z) - len(others) < max(_LEAST_POINTS, _LEAST_SHARE * len(z)) or not len(others):
            continue
        ends = np.quantile(others, [_OUTLIERS, 1 - _OUTLIERS], axis=0)
        gap = max(ends[0, 2] - value, value - ends[1, 2])
        if gap > _FAR * (ends[1] - ends[0]).max():
            return f"{value / METRES[unit]:.6g} {unit}"
    return None
