"""Separate part and background: find the support plane, then the connected pieces above the plane.

The published script runs Open3D's RANSAC and DBSCAN on every point, once and offline. A service runs this for
every upload. So RANSAC runs on points of the image border, and clustering runs on voxels.
docs/preparation.md says where the results differ from the script's, and by how much.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import label
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

BORDER = 10
"""Width of the border strips in which the support plane is searched, pixels (published)."""

SEEN = 0.05
"""Share of valid pixels from which an outer row or column belongs to the field that the sensor sees."""

CLUSTER_POINTS = 30
"""Points within the distance of a piece, the point itself included, that make a core point (published)."""

_SURROUNDED = 0.5
"""Share of a piece's pixels that other pieces surround where the piece belongs to them."""

MIN_SUPPORT = 0.4
"""Share of the border points that must lie on a support plane. The published script accepts any plane, so it
cuts a slice out of a part that fills the image."""

_SUPPORT_QUANTILE = 0.524
"""Distance that MIN_SUPPORT of normally distributed points keep, in standard deviations."""
_MEDIAN_DEVIATION = 1.4826
"""Standard deviation of normally distributed points, in median distances."""
_NOISES = 3.0
"""Points within this many standard deviations belong to the plane while its noise is measured."""
_FLAT = 0.02
"""Largest distance of a support's points from its plane, as a share of the support's longest side."""

SPOT = 1e-6
"""Standard deviation, metres, of points that are one spot."""
LINE = 1e-3
"""Smaller spread of points that are one line, as a share of their larger spread."""

_HYPOTHESES = 256
_BORDER_POINTS = 2048
_CLUSTER_PIXELS = 160_000
_DENSE_VOXELS = 1 << 20
_FAR = 1 << 20  # the product of three sides fits 63 bits


Plane = tuple[NDArray[np.float64], float]
"""Unit normal (3,) and offset, metres: normal . p + offset is the distance of p."""


def support_plane(xyz: NDArray[np.float32], valid: NDArray[np.bool_], inlier_distance: float) -> Plane | None:
    """Find the plane with the most border points. The same part always gives the same plane.

    xyz: (H, W, 3) float32 metres. valid: (H, W) bool. inlier_distance: largest distance, metres, of a point
    that supports a plane. Returns None if no plane holds MIN_SUPPORT of the border points.
    """
    searched = _searched_planes(xyz, valid)
    if searched is None:
        return None
    border, sparse, normals, offsets = searched
    distances = sparse @ normals.T
    distances += offsets
    inliers = np.abs(distances, out=distances) < inlier_distance
    best = int(np.count_nonzero(inliers, axis=0).argmax())
    plane = normals[best], float(offsets[best])
    for _ in range(3):  # three points give a rough plane; a fit to its inliers is better
        plane = _fit_plane(border[_distance(border, plane) < inlier_distance], otherwise=plane)
    support = np.count_nonzero(_distance(border, plane) < inlier_distance) / len(border)
    return plane if support >= MIN_SUPPORT else None


def plane_noise(xyz: NDArray[np.float32], valid: NDArray[np.bool_]) -> float | None:
    """Standard deviation, metres, of the support plane's points about the plane, by the same border points.

    The plane is the one that is nearest to MIN_SUPPORT of the border points. None where that plane holds no
    MIN_SUPPORT of the border points within _FLAT of the border's extent: there is no flat support.
    """
    searched = _searched_planes(xyz, valid)
    if searched is None:
        return None
    border, sparse, normals, offsets = searched
    distances = np.abs(sparse @ normals.T + offsets)
    rank = int(MIN_SUPPORT * len(sparse))
    nearest = np.partition(distances, rank, axis=0)[rank]
    best = int(nearest.argmin())
    plane = normals[best], float(offsets[best])
    noise = float(nearest[best]) / _SUPPORT_QUANTILE
    most = _FLAT * float(np.ptp(border, axis=0).max())
    for _ in range(5):
        distance = _distance(border, plane)
        near = distance <= min(_NOISES * noise, most)
        if np.count_nonzero(near) < MIN_SUPPORT * len(border):
            return None
        plane = _fit_plane(border[near], otherwise=plane)
        noise = _MEDIAN_DEVIATION * float(np.median(distance[near]))
    return noise


def off_plane(
    xyz: NDArray[np.float32], valid: NDArray[np.bool_], plane: Plane, clearance: float
) -> NDArray[np.bool_]:
    """(H, W) bool, True for valid points at least `clearance` metres from the plane, on both sides."""
    normal, offset = plane
    distance = xyz @ normal.astype(np.float32)
    distance += np.float32(offset)
    return (np.abs(distance, out=distance) >= clearance) & valid


@dataclass(frozen=True, slots=True)
class Pieces:
    """The clusters of a mask, the largest first.

    sizes: (N,) points of each piece. If no point has enough neighbours for a cluster (a coarse scan), the
    whole mask is one piece. The published script does the same, because it counts noise as a cluster.
    """

    sizes: NDArray[np.float64]
    _mask: NDArray[np.bool_]
    _pixels: tuple[NDArray[np.intp], NDArray[np.intp]]
    _piece: NDArray[np.intp]
    _step: int

    def count(self, share: float) -> int:
        """Number of pieces with more than `share` of the largest piece's points, the largest included."""
        return max(1, int(np.count_nonzero(self.sizes > share * self.sizes[0])))

    def mask(self, share: float, *, surrounded: bool = False) -> NDArray[np.bool_]:
        """(H, W) bool, the pixels of these pieces.

        surrounded: whether a smaller piece counts, too, if these pieces surround most of it in the image.
        """
        count = self.count(share)
        kept = (self._piece >= 0) & (self._piece < count)
        if surrounded and (smaller := self._piece >= count).any():
            inside, piece = self._surrounded_by(kept)[smaller], self._piece[smaller]
            kept[smaller] = (np.bincount(piece, inside) > _SURROUNDED * np.bincount(piece))[piece]
        return self._mask & _spread(*self._pixels, kept, self._mask.shape, self._step)

    def _surrounded_by(self, kept: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """(N,) bool: clustered pixels from which no way leads to the edge of the image past the kept ones."""
        height, width = (-(-length // self._step) for length in self._mask.shape)
        free = np.ones((height + 2, width + 2), np.bool_)
        rows, columns = self._pixels
        free[rows[kept] + 1, columns[kept] + 1] = False
        regions = np.empty(free.shape, np.int32)
        label(free, output=regions)
        return (regions != regions[0, 0])[rows + 1, columns + 1]


def find_pieces(xyz: NDArray[np.float32], mask: NDArray[np.bool_], piece_distance: float) -> Pieces | None:
    """The pieces of `mask` (H, W) bool. None if the mask is empty.

    piece_distance: largest distance, metres, of two neighbouring points in a cluster. DBSCAN finds the
    clusters on voxels of every n-th pixel (n = 1 up to 160,000 pixels).
    """
    step = max(1, math.ceil(math.sqrt(np.count_nonzero(mask) / _CLUSTER_PIXELS)))
    rows, columns = np.nonzero(mask[::step, ::step])
    if len(rows) == 0:
        return None
    points = xyz[::step, ::step][rows, columns]
    voxel_of_point, weights, centroids = _voxels(points, piece_distance / 3)
    labels = _cluster(centroids, weights * step**2, piece_distance)
    clustered = labels >= 0
    if not clustered.any():
        labels[:] = 0
        clustered[:] = True
    sizes = np.bincount(labels[clustered], weights=weights[clustered])
    order = np.argsort(-sizes, kind="stable")
    place = np.empty(len(sizes) + 1, dtype=np.intp)
    place[order], place[-1] = np.arange(len(sizes)), -1  # the last is noise
    return Pieces(sizes[order].astype(np.float64), mask, (rows, columns), place[labels][voxel_of_point], step)


def spans_a_surface(xyz: NDArray[np.float32], valid: NDArray[np.bool_]) -> bool:
    """Whether the valid points of xyz (H, W, 3), metres, are more than one spot or one line.

    The spread must be above SPOT in one direction, and above LINE of that in another. About 2000 evenly
    spaced points are used. False if there are no valid points.
    """
    index = np.flatnonzero(valid)
    if len(index) == 0:
        return False
    points = xyz.reshape(-1, 3)[index[:: -(-len(index) // _BORDER_POINTS)]].astype(np.float64)
    centred = points - points.mean(axis=0)
    spread = np.sqrt(np.clip(np.linalg.eigvalsh(centred.T @ centred / len(centred)), 0, None))
    return bool(spread[2] > SPOT and spread[1] > LINE * spread[2])


def _border_points(xyz: NDArray[np.float32], valid: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(N, 3) valid points of the four border strips. The corners count twice, as published.

    The strips lie along the field that the sensor sees: outer rows and columns without returns are left out.
    """
    rows, columns = _seen(valid.mean(axis=1)), _seen(valid.mean(axis=0))
    xyz, valid = xyz[rows, columns], valid[rows, columns]
    strips = (np.s_[:BORDER], np.s_[-BORDER:], np.s_[:, :BORDER], np.s_[:, -BORDER:])
    return np.concatenate([xyz[strip][valid[strip]] for strip in strips]).astype(np.float64)


def _seen(shares: NDArray[np.floating]) -> slice:
    """From the first to the last line that has returns. shares: of valid pixels, line by line."""
    lines = np.flatnonzero(shares >= SEEN)
    return slice(int(lines[0]), int(lines[-1]) + 1) if len(lines) else slice(None)


def _searched_planes(
    xyz: NDArray[np.float32], valid: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]] | None:
    """The border points (N, 3), about _BORDER_POINTS of them, and normals (K, 3) and offsets (K,) of planes.

    The planes go through random triples of these points. None without a plane.
    """
    border = _border_points(xyz, valid)
    if len(border) < 3:
        return None
    sparse = border[:: -(-len(border) // _BORDER_POINTS)]
    candidates = _plane_candidates(sparse)
    return None if candidates is None else (border, sparse, *candidates)


def _plane_candidates(
    points: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Unit normals (K, 3) and offsets (K,) of planes through random triples of points.

    None if all triples are collinear.
    """
    triples = points[np.random.default_rng(0).integers(len(points), size=(_HYPOTHESES, 3))]
    normals = np.cross(triples[:, 1] - triples[:, 0], triples[:, 2] - triples[:, 0])
    lengths = np.linalg.norm(normals, axis=1)
    proper = lengths > 1e-12
    if not proper.any():
        return None
    normals = normals[proper] / lengths[proper, None]
    return normals, -np.einsum("ij,ij->i", normals, triples[proper, 0])


def _fit_plane(points: NDArray[np.float64], otherwise: Plane) -> Plane:
    """Least-squares plane of points (N, 3), or `otherwise` for fewer than three points."""
    if len(points) < 3:
        return otherwise
    centre = points.mean(axis=0)
    centred = points - centre
    normal = np.linalg.eigh(centred.T @ centred)[1][:, 0]
    return normal, -float(normal @ centre)


def _distance(points: NDArray[np.float64], plane: Plane) -> NDArray[np.float64]:
    return np.abs(points @ plane[0] + plane[1])


def _voxels(
    points: NDArray[np.float32], voxel: float
) -> tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.float64]]:
    """Index of each point's voxel (N,), and each voxel's number of points (V,) and centroid (V, 3) metres.

    voxel: side, metres. In a cloud of more than _FAR voxels a side, the outermost points share voxels.
    """
    axes = np.ascontiguousarray(
        points.T
    )  # (3, N): numpy reduces long rows many times faster than long columns
    cells = np.floor(axes.astype(np.float64) / voxel).astype(np.int64)
    least, most = cells.min(axis=1), cells.max(axis=1)
    if (most - least).max() > _FAR:
        middle = np.median(cells, axis=1).astype(np.int64)[:, None]
        cells = (cells - middle).clip(-_FAR // 2, _FAR // 2)
        least, most = cells.min(axis=1), cells.max(axis=1)
    extent = most - least + 1
    cells -= least[:, None]
    keys = (cells[0] * extent[1] + cells[1]) * extent[2] + cells[2]
    # A dense box of voxels is faster than sorting if the box is small.
    if math.prod(extent.tolist()) <= _DENSE_VOXELS:
        counts = np.bincount(keys)
        voxel_of_point = (np.cumsum(counts > 0) - 1)[keys]
        weights = counts[counts > 0].astype(np.float64)
    else:
        _, voxel_of_point, counts = np.unique(keys, return_inverse=True, return_counts=True)
        weights = counts.astype(np.float64)
    sums = [np.bincount(voxel_of_point, weights=axis) for axis in axes]
    return voxel_of_point, weights, np.stack(sums, axis=1) / weights[:, None]


def _cluster(
    centroids: NDArray[np.float64], weights: NDArray[np.float64], distance: float
) -> NDArray[np.intp]:
    """DBSCAN over weighted points: label of each (V,), -1 for noise."""
    count = len(centroids)
    pairs = KDTree(centroids).query_pairs(distance, output_type="ndarray")
    first, second = pairs[:, 0], pairs[:, 1]
    reach = weights + np.bincount(first, weights[second], count) + np.bincount(second, weights[first], count)
    core = reach >= CLUSTER_POINTS
    linked = core[first] & core[second]
    graph = coo_array(
        (np.ones(int(linked.sum()), dtype=np.bool_), (first[linked], second[linked])), shape=(count, count)
    )
    labels = connected_components(graph, directed=False)[1].astype(np.intp)
    labels[~core] = -1
    for inner, outer in ((first, second), (second, first)):  # border points join a neighbouring core point
        joins = core[inner] & ~core[outer]
        labels[outer[joins]] = labels[inner[joins]]
    return labels


def _spread(
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
    kept: NDArray[np.bool_],
    shape: tuple[int, ...],
    step: int,
) -> NDArray[np.bool_]:
    """(H, W) bool from the result on every `step`-th pixel.

    A block of step x step pixels takes the result of its own pixel. If its own pixel was not clustered, the
    block is kept if a neighbouring block is kept.
    """
    height, width = -(-shape[0] // step), -(-shape[1] // step)
    keep = np.zeros((height + 2, width + 2), dtype=np.bool_)
    keep[rows + 1, columns + 1] = kept
    if step == 1:
        return keep[1:-1, 1:-1]
    near = keep[:, :-2] | keep[:, 1:-1] | keep[:, 2:]
    near = near[:-2] | near[1:-1] | near[2:]
    near[rows, columns] = kept
    return near.repeat(step, axis=0).repeat(step, axis=1)[: shape[0], : shape[1]]
