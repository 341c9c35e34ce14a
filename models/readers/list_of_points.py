"""Whether a list of points that names no grid lies on its image row by row."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.sample import BadSample

_LOOKED_AT = 4096
_LEAST = 100
"""Pairs of points that are compared, and the fewest that tell."""
_NEARER = 0.5


def check_rows(xyz: NDArray[np.floating]) -> None:
    """Raise BadSample unorganised_cloud if the points lie column by column, as MATLAB flattens a grid.

    xyz: (H, W, 3), filled row by row. In a file of columns, the point H places further on is a neighbour, and
    the point W places further on is not.
    """
    height, width = xyz.shape[:2]
    points = xyz.reshape(-1, 3)
    first = np.linspace(0, len(points) - 1 - max(height, width), _LOOKED_AT).astype(np.intp)
    near, far = (_distance(points, first, step) for step in (height, width))
    if near < _NEARER * far:
        raise BadSample(
            "unorganised_cloud",
            f"The points lie column by column, but the image has {height} x {width} pixels row by row. Write "
            "the points row by row, or write an organised PCD.",
        )


def _distance(points: NDArray[np.floating], first: NDArray[np.intp], step: int) -> float:
    """Median distance of the points `step` places apart; NaN where too few have a return."""
    pairs = np.stack([points[first], points[first + step]]).astype(np.float64)
    known = np.isfinite(pairs).all(axis=(0, 2)) & pairs.any(axis=2).all(axis=0)
    if np.count_nonzero(known) < _LEAST:
        return float("nan")
    with np.errstate(over="ignore"):
        return float(np.median(np.linalg.norm(pairs[1, known] - pairs[0, known], axis=1)))
