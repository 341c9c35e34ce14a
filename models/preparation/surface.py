"""The surface that a prepared part shows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def surface_area(xyz: NDArray[np.float32], valid: NDArray[np.bool_]) -> float:
    """Surface between neighbouring valid points, square metres: two triangles for each four neighbours.

    xyz: (H, W, 3) float32 metres. valid: (H, W) bool.
    """
    whole = valid[:-1, :-1] & valid[:-1, 1:] & valid[1:, :-1] & valid[1:, 1:]
    corner, right, down, across = (
        xyz[rows, columns][whole].astype(np.float64)
        for rows in (np.s_[:-1], np.s_[1:])
        for columns in (np.s_[:-1], np.s_[1:])
    )
    first = np.cross(right - corner, down - corner)
    second = np.cross(right - across, down - across)
    return float((np.linalg.norm(first, axis=1) + np.linalg.norm(second, axis=1)).sum() / 2)
