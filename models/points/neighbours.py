"""The nearest points of every point of a cloud, in machine code (`neighbour_kernels.py`)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.numerics.machine_code import load_kernels

_STRIP = 1.5
"""Width of a strip, in distances of neighbouring points."""
_BUCKETS = 65
"""Room for the buckets of the kernel."""
_SOURCE = Path(__file__).with_name("neighbour_kernels.ll")


@dataclass(frozen=True, slots=True)
class Neighbours:
    """A cloud in an order in which neighbours lie close together, and what lies around each point.

    order: (N,) the points of the given cloud, in this order. The other fields use this order.
    points: (3, N) float64.
    squares: (N, K) float64 squared distances, rising; infinite where there are fewer than K neighbours.
    index: (N, K) int32 the neighbours, the point itself among them.
    """

    order: NDArray[np.int32]
    points: NDArray[np.float64]
    squares: NDArray[np.float64]
    index: NDArray[np.int32]

    def held(self, most: int, radius: float) -> NDArray[np.int32]:
        """(N,) how many of a point's first `most` neighbours are nearer than a radius."""
        return (self.squares[:, :most] < radius * radius).sum(axis=1, dtype=np.int32)


def nearest(points: NDArray[np.float64], most: int, radius: float) -> Neighbours:
    """The `most` nearest points of every point, of those nearer than a radius. Exact.

    points: (N, 3) finite, N at least 1. Of equally near points, the one that Open3D 0.20 finds first counts.
    """
    run = load_kernels(_SOURCE)
    count = len(points)
    spread = np.abs(points - points.mean(axis=0)).mean(axis=0)
    third, second, first = np.argsort(spread)
    strips = max(1, int(math.sqrt(count) / _STRIP))
    starts = np.linspace(0, count, strips + 1).astype(np.int32)
    strip = np.empty(count, np.int32)
    strip[np.argsort(points[:, first], kind="stable")] = np.repeat(np.arange(strips), np.diff(starts))
    order = np.lexsort((points[:, second], strip)).astype(np.int32)
    cloud = np.ascontiguousarray(points[order].T)
    lows = np.minimum.reduceat(cloud[first], starts[:-1])
    highs = np.maximum.reduceat(cloud[first], starts[:-1])
    squares = np.full((count, most), np.inf)
    index = np.zeros((count, most), np.int32)
    room, places = np.empty((2, count)), np.empty((3, count), np.int32)
    fill, window = np.empty(_BUCKETS, np.int32), np.empty(2 * strips, np.int32)
    tree = np.arange(count, dtype=np.int32)
    nodes, cuts = np.zeros((2 * count, 4), np.int32), np.empty((2 * count, 2))
    run["plant"](count, np.ascontiguousarray(points.T), tree, nodes, cuts, np.empty((2 * count, 6)))
    nodes[:, 3] = np.argsort([first, second, third])[nodes[:, 3]]
    place = np.empty(count, np.int32)
    place[tree] = np.arange(count)
    run["nearest"](
        *(cloud[first], cloud[second], cloud[third], place[order], nodes, cuts),
        *(strips, starts, lows, highs, most, radius),
        *(squares, index, room[0], places[0], places[1], fill, window, room[1], places[2]),
    )
    return Neighbours(order, cloud, squares, index)
