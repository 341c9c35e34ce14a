"""A picture of a part's surface: the unit normal of every point as a colour.

Image networks see dents, scratches and steps in such a picture that they cannot see in the RGB image.
FIND (ICCV 2025) and CPMAD (CVPR 2026) feed normals to the network of the image. The form of the picture is
ours.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

_TINY = 1e-12


def normals(xyz: NDArray[np.float32], valid: NDArray[np.bool_], smoothing: float) -> NDArray[np.float32]:
    """Unit normals of an organised cloud, all on the same side of the surface.

    xyz: (H, W, 3) float32, any unit. valid: (H, W) bool. smoothing: standard deviation of a Gaussian over the
    valid points, in points, before the normals are taken.

    Returns (H, W, 3) float32, most of them with z below 0: towards a camera at the origin that looks along z.
    0 where a point is not valid, or where its valid neighbours lie on one line.
    """
    weight = np.maximum(_blurred(valid.astype(np.float32), smoothing), np.float32(_TINY))
    middle = xyz[valid].mean(axis=0) if valid.any() else np.zeros(3, np.float32)
    planes = np.where(valid[..., None], xyz - middle, np.float32(0))
    smooth = np.stack([_blurred(planes[..., axis], smoothing) for axis in range(3)], axis=-1)
    smooth /= weight[..., None]
    normal = np.cross(_difference(smooth, valid, 1), _difference(smooth, valid, 0))
    length = np.linalg.norm(normal, axis=-1)
    known = valid & (length > 0)
    normal = np.where(known[..., None], normal / np.where(known, length, 1)[..., None], 0)
    side = -1 if normal[..., 2].sum() > 0 else 1  # rows and columns of a grid always turn the same way
    return (side * normal).astype(np.float32)


def picture(
    xyz: NDArray[np.float32], valid: NDArray[np.bool_], *, smoothing: float, gain: float
) -> NDArray[np.float32]:
    """The normals as colours: (H, W, 3) float32 in 0..1, black where there is no normal.

    The normals are turned so that the part's mean normal points at the camera: a part that lies tilted has
    the same colours. Then their slopes against the mean normal are multiplied by `gain`. A face that looks
    along the mean normal is (0.5, 0.5, 1).
    """
    of_point = normals(xyz, valid, smoothing)
    known = np.asarray(of_point.any(axis=-1))
    mean = of_point[known].mean(axis=0, dtype=np.float64) if known.any() else np.zeros(3)
    length = float(np.linalg.norm(mean))
    if length < _TINY:
        return np.zeros_like(of_point)
    turned = of_point @ _turn(mean / length).T.astype(np.float32)
    turned[..., :2] *= gain
    turned /= np.maximum(np.linalg.norm(turned, axis=-1, keepdims=True), _TINY)
    colours = (turned * np.array([1, 1, -1], np.float32) + 1) / 2
    return np.where(known[..., None], colours, 0).astype(np.float32)


def _blurred(plane: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    return np.asarray(gaussian_filter(plane, sigma, mode="constant"), np.float32)


def _difference(points: NDArray[np.float32], valid: NDArray[np.bool_], axis: int) -> NDArray[np.float32]:
    """Next point minus previous point along an axis. A point without that neighbour takes its place."""
    following, before = (_neighbour(points, valid, axis, step) for step in (-1, 1))
    return np.subtract(following, before, dtype=np.float32)


def _neighbour(
    points: NDArray[np.float32], valid: NDArray[np.bool_], axis: int, step: int
) -> NDArray[np.float32]:
    there = np.roll(valid, step, axis)
    edge = [slice(None), slice(None)]
    edge[axis] = slice(-1, None) if step < 0 else slice(0, 1)
    there[tuple(edge)] = False
    return np.where(there[..., None], np.roll(points, step, axis), points)


def _turn(normal: NDArray[np.float64]) -> NDArray[np.float64]:
    """(3, 3) the smallest rotation that takes a unit vector to (0, 0, -1), Rodrigues' formula."""
    x, y, z = normal
    cross = np.array([[0, 0, x], [0, 0, y], [-x, -y, 0]])
    return np.eye(3) + cross + cross @ cross / (1 - z)
