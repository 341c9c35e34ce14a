"""The surface that a prepared part shows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def surface_area(xyz: NDArray[np.float32], valid: NDArray[np.bool_]) -> float:
    """Surface between neighbouring valid points, square metres: two triangles for each four neighbours.

    xyz: (H, W, 3) float32 metres. valid: (H, W) bool.
    """
    whole = np.zeros_like(valid)
    whole[:-1, :-1] = valid[:-1, :-1] & valid[:-1, 1:] & valid[1:, :-1] & valid[1:, 1:]
    points, at, below = xyz.reshape(-1, 3), np.flatnonzero(whole), valid.shape[1]
    corner, right, down, across = (
        np.ascontiguousarray(points[at + step].T, np.float64) for step in (0, 1, below, below + 1)
    )
    first = _twice_the_triangle(right - corner, down - corner)
    second = _twice_the_triangle(right - across, down - across)
    return float((first + second).sum() / 2)


def _twice_the_triangle(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) length of the cross products. one, other: (3, n)."""
    (ax, ay, az), (bx, by, bz) = one, other
    x, y, z = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
    return np.sqrt(x * x + y * y + z * z)
