"""Point groups: farthest point sampling picks the centres, each takes its neighbours (paper sec. 3.2)."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import KDTree

NEAR_ORIGIN = 1e-3
"""Squared norm, square metres, up to which pointnet2_ops never picks a point (about 3.16 cm)."""
BLOCK = 128
"""Points that share one bounding interval and one largest distance while sampling."""


def farthest_points(points: torch.Tensor, count: int, *, skip_near_origin: bool = False) -> torch.Tensor:
    """Indices of `count` points, each the farthest from all before it; the first is 0.

    points: (N, 3) float32 metres on the CPU. Squared distances in float32, ties to the lowest index.
    skip_near_origin: leave out, as pointnet2_ops does, every candidate but the first whose squared norm is
        at most 1e-3. It guards that library's zero padding; here it would blind a cloud near the origin.
    Returns (min(count, N),) int64, N > 0: a cloud with fewer points than groups has all its points as
    centres.
    """
    return torch.from_numpy(_farthest_by_blocks(points.numpy(), min(count, len(points)), skip_near_origin))


def squared_norms(points: torch.Tensor) -> torch.Tensor:
    """(...,) float32 of points (..., 3), added in the order of the axes: a device's own sum has another."""
    x, y, z = points.square().unbind(-1)
    return x + y + z


def squared_distances(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """(L, R) float32 between points (L, 3) and (R, 3), from differences.

    The expanded square's cancellation would change one group in twelve on raw metres; torch.cdist's kernel
    for differences takes 30 ms for what these eight take one (H100).
    """
    squared = (left[:, None, 0] - right[:, 0]).square_()
    for axis in (1, 2):
        squared += (left[:, None, axis] - right[:, axis]).square_()
    return squared


def nearest_neighbours(points: torch.Tensor, centres: torch.Tensor, count: int) -> torch.Tensor:
    """Indices (G, count) int64 of the points nearest to each centre, nearest first: the centre itself leads.

    points: (N, 3), centres: (G, 3), float32 metres. With N < count the nearest point fills the rest, which
    leaves the maxima over a group as they are.
    """
    found = min(count, len(points))
    if points.device.type == "cpu":
        _, nearest = KDTree(points.double().numpy()).query(centres.double().numpy(), k=found)
        index = torch.from_numpy(np.asarray(nearest, np.int64).reshape(-1, found))
    else:
        index = squared_distances(centres, points).topk(found, largest=False, sorted=True).indices
    return torch.cat([index, index[:, :1].expand(-1, count - found)], 1)


def _farthest_by_blocks(points: NDArray[np.float32], count: int, skip_near_origin: bool) -> NDArray[np.int64]:
    """Exact sampling that touches only what a new centre can change.

    Row-major points cut into blocks span short intervals of one axis. A centre farther from an interval than
    the largest distance left lowers nothing in that block. (fpsample 1.0.2 ignores the start index in its
    bucket forms and breaks ties differently in its plain one.)
    """
    blocks = -(-len(points) // BLOCK)
    padded = np.pad(points, ((0, blocks * BLOCK - len(points)), (0, 0)), mode="edge").T.reshape(
        3, blocks, BLOCK
    )
    distance = np.full((blocks, BLOCK), np.inf, np.float32)
    distance.reshape(-1)[len(points) :] = -np.inf
    if skip_near_origin:
        distance[np.square(padded).sum(0) <= NEAR_ORIGIN] = -np.inf
    low, high = padded.min(2), padded.max(2)
    axis = int((high - low).mean(1).argmin())
    low, high = low[axis], high[axis]
    farthest = distance.max(1)
    picks = np.zeros(count, np.int64)
    for step in range(1, count):
        centre = points[picks[step - 1]]
        reach = 1.001 * float(np.sqrt(max(farthest.max(), 0)))
        reached = np.flatnonzero((low <= centre[axis] + reach) & (high >= centre[axis] - reach))
        near = slice(reached[0], reached[-1] + 1)
        offset = padded[:, near] - centre[:, None, None]
        offset *= offset
        squared = offset[0]
        squared += offset[1]
        squared += offset[2]
        np.minimum(distance[near], squared, out=distance[near])
        farthest[near] = distance[near].max(1)
        block = int(farthest.argmax())
        picks[step] = block * BLOCK + int(distance[block].argmax())
    return picks
