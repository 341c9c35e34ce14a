"""Point feature alignment: from points or point groups to patches on the image plane (paper sec. 3.2).

The published code scatters 1152 channels into a 224 x 224 image, averages 3 x 3 without padding and pools
adaptively to 56 x 56. Every step is linear and the same for every channel, so on the CPU all steps are one
sparse matrix. On CUDA the published operations run unchanged, because they are fast there.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import scipy.sparse
import torch
from numpy.typing import NDArray
from torch.nn import functional

from models.points.groups import nearest_neighbours, squared_norms

sparse: Any = scipy.sparse
"""SciPy's sparse arrays have no types, and a type checker takes ten seconds to infer them."""
EPSILON = 1e-8
"""Added to squared distances, in square metres, before inversion (published code)."""
NEIGHBOURS = 3
"""Group centres from which one point is interpolated."""
CANDIDATES = 8
"""Nearest centres that are compared by rounded distances. Rounding cannot bring farther centres forward."""
BOX = 3
"""Edge of the average pooling window, pixels."""


def align(
    features: torch.Tensor, valid_index: torch.Tensor, *, size: int = 224, side: int = 56
) -> torch.Tensor:
    """Compute patch vectors on the image plane from one vector per valid point.

    Args:
        features: (N, C) float32.
        valid_index: (N,) int64, row-major pixel of each point in the size x size image.
        size: side of the image, pixels.
        side: patches along one edge.

    Returns (side * side, C) float32 on the features' device. Pixels without a point count as zero vectors. So
    border patches shrink towards zero, and a patch without points is exactly zero (as published).
    """
    if features.device.type != "cpu":
        return _pool(features, valid_index, size, side)
    pooling = _pooling(size, side)[valid_index.numpy()].T.tocsr()
    return torch.from_numpy(np.asarray(pooling @ features.numpy(), np.float32))


def align_groups(
    tokens: torch.Tensor,
    index: torch.Tensor,
    weight: torch.Tensor,
    valid_index: torch.Tensor,
    *,
    size: int = 224,
    side: int = 56,
) -> torch.Tensor:
    """Compute `align(interpolate(tokens, index, weight), valid_index)` without the (N, C) features in
    between.

    The pooling and interpolation matrices are multiplied first: about ten groups contribute to one patch.

    Args:
        tokens: (G, C) float32 group vectors.
        index, weight: (N, 3), from `interpolation`.
        valid_index, size, side: as in `align`.

    Returns (side * side, C) float32, equal to the two-step form up to rounding (about 1e-6 of the largest).
    """
    if tokens.device.type != "cpu":
        return _pool(interpolate(tokens, index, weight), valid_index, size, side)
    points, width = index.shape
    spread = sparse.csr_array(
        (weight.numpy().ravel(), index.numpy().ravel(), np.arange(0, points * width + 1, width)),
        shape=(points, tokens.shape[0]),
    )
    reach = _pooling(size, side)[valid_index.numpy()].T.tocsr() @ spread
    return torch.from_numpy(np.asarray(reach @ tokens.numpy(), np.float32))


def interpolation(
    points: torch.Tensor, centres: torch.Tensor, *, expanded: bool = False
) -> tuple[torch.Tensor, torch.Tensor]:
    """Find the three nearest group centres of each point, and their weights.

    Args:
        points: (N, 3) float32 metres.
        centres: (G, 3) float32 metres.
        expanded: compute squared distances as the published code does: a^2 + b^2 - 2ab in float32. At half a
            metre from the origin, the error is about 1e-7 square metres, as large as the squared distance of
            neighbouring pixels. Distances may be negative, and features change by up to 1e-3. One point in a
            hundred has two centres at the same third-smallest distance; a sort of all centres then decides,
            as in the published code.

    Returns index (N, 3) int64, nearest first, and weight (N, 3) float32. Weights are proportional to
    1 / (squared distance + 1e-8), and each row sums to 1. With fewer than three centres, the last centre is
    repeated with weight 0.
    """
    count = min(NEIGHBOURS, len(centres))
    if expanded:
        index = nearest_neighbours(centres, points, min(CANDIDATES, len(centres)))
        squared, order = _expanded_squares(points, centres[index]).sort(dim=1, stable=True)
        index = index.gather(1, order)[:, :count]
        if squared.shape[1] > count:
            tied = squared[:, count - 1] == squared[:, count]
            rows = _expanded_squares(points[tied], centres.expand(int(tied.sum()), -1, -1))
            # On the host, because the order of equal distances is that of the published code's CPU sort.
            index[tied] = rows.cpu().sort(dim=1).indices[:, :count].to(index.device)
        squared = squared[:, :count]
    else:
        index = nearest_neighbours(centres, points, count)
        squared = (points.double()[:, None] - centres.double()[index]).square().sum(-1)
    inverse = (squared + EPSILON).reciprocal()
    weight = (inverse / inverse.sum(1, keepdim=True)).float()
    missing = NEIGHBOURS - count
    if missing:
        index = torch.cat([index, index[:, -1:].expand(-1, missing)], 1)
        weight = functional.pad(weight, (0, missing))
    return index, weight


def interpolate(tokens: torch.Tensor, index: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Weighted sum of group vectors for each point: tokens (G, C), index, weight (N, 3) -> (N, C) float32."""
    features = tokens[index[:, 0]] * weight[:, 0, None]
    for column in range(1, index.shape[1]):
        features += tokens[index[:, column]] * weight[:, column, None]
    return features


def expand(rows: torch.Tensor) -> torch.Tensor:
    """Repeat every patch of a square grid 2 x 2: (side * side, C) -> (4 * side * side, C), row-major.

    The published AdaptiveAvgPool2d from 28 to 56 gives the same result. Raises ValueError for a grid that is
    not square.
    """
    side = round(rows.shape[0] ** 0.5)
    if side * side != rows.shape[0]:
        raise ValueError(f"expected the rows of a square grid of patches, got {rows.shape[0]} rows")
    grid = rows.view(side, 1, side, 1, -1).expand(-1, 2, -1, 2, -1)
    return grid.reshape(4 * side * side, -1)


def _expanded_squares(points: torch.Tensor, centres: torch.Tensor) -> torch.Tensor:
    """(N, k) float32 squared distances of points (N, 3) and centres (N, k, 3): -2ab, then + a^2, then + b^2.

    Each step is rounded to float32. The product is rounded once per term, as fused multiply-adds in a matrix
    product are. It is written out, so that the result does not depend on the BLAS library.
    """
    left, right = points.double()[:, None], centres.double()
    product = (left[..., 0] * right[..., 0]).float()
    for axis in (1, 2):
        product = (left[..., axis] * right[..., axis] + product).float()
    return -2 * product + squared_norms(points)[:, None] + squared_norms(centres)


@lru_cache(maxsize=8)
def _pooling(size: int, side: int) -> Any:
    """(size * size, side * side) float32: weight of each pixel in each patch."""
    axis = sparse.csr_array(_axis(size, side))
    return sparse.csr_array(sparse.kron(axis, axis, format="csr"), dtype=np.float32)


def _axis(size: int, side: int) -> NDArray[np.float64]:
    """(size, side) weights of both pooling steps along one edge.

    Patch i covers floor(i w / side) .. ceil((i + 1) w / side) of the w 3 x 3 averages.
    """
    width = size - BOX + 1
    weights = np.zeros((size, side))
    for patch in range(side):
        start, end = patch * width // side, -(-(patch + 1) * width // side)
        for pixel in range(start, end):
            weights[pixel : pixel + BOX, patch] += 1 / (BOX * (end - start))
    return weights


def _pool(features: torch.Tensor, valid_index: torch.Tensor, size: int, side: int) -> torch.Tensor:
    """`align` by the published operations."""
    image = features.new_zeros(size * size, features.shape[1])
    image[valid_index] = features
    plane = image.T.reshape(1, -1, size, size)
    pooled = functional.adaptive_avg_pool2d(functional.avg_pool2d(plane, BOX, stride=1), (side, side))
    return pooled.flatten(2)[0].T.contiguous()
