"""Eyecandies' depth maps to clouds without background, as M3DM's conversion script computes them."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Frame = Literal["script", "camera"]
"""script: M3DM's own frame and scale, (0.1 x, -0.1 z, 0.1 y) of the point brought back with the inverse
pose. camera: the camera's frame in metres, from the intrinsics alone, as the paper's words have it."""

FOCAL = 711.11
"""Pixels; the principal point is (width / 2, height / 2) and integer coordinates are pixel centres."""

_SCALE = np.array([0.1, -0.1, 0.1])
_BELT = -0.02
_FAR = 1.8
_SIDE = 1.0


def decode_depth(raw: NDArray[np.uint16], low: float, high: float) -> NDArray[np.float64]:
    """(H, W) metres along the optical axis. raw: (H, W); low, high: info_depth.yaml's normalization."""
    return raw / 65535.0 * (high - low) + low


def cloud_of(depth: NDArray[np.float64], pose: NDArray[np.float64], frame: Frame) -> NDArray[np.float32]:
    """(H, W, 3) float32, background exactly 0, 0, 0.

    depth: (H, W) metres. pose: (4, 4), camera to world. The background is decided in the script's frame,
    where alone its limits make sense. The script marks it by x = 0 only, its reader then wants three
    non-zero coordinates of a point; three zeros say the same to every reader.
    """
    camera = back_project(depth)
    moved = script_points(camera, pose)
    points = camera if frame == "camera" else moved[..., [0, 2, 1]] * _SCALE
    return np.where(is_background(moved)[..., None], 0.0, points).astype(np.float32)


def back_project(depth: NDArray[np.float64]) -> NDArray[np.float64]:
    """(H, W, 3) metres in the camera's frame: x right, y down, z forward."""
    height, width = depth.shape
    row, column = np.mgrid[:height, :width]
    return np.stack([(column - width / 2) / FOCAL * depth, (row - height / 2) / FOCAL * depth, depth], axis=2)


def script_points(camera: NDArray[np.float64], pose: NDArray[np.float64]) -> NDArray[np.float64]:
    """(H, W, 3): the inverse pose applied to points of the camera's frame.

    The pose maps camera to world, so its inverse does not lead to the world; Eyecandies' own library put
    that right later. M3DM kept it, and its background limits hold in this frame.
    """
    inverse = np.linalg.inv(pose)
    return camera @ inverse[:3, :3].T + inverse[:3, 3]


def is_background(points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(H, W) bool, True on the belt and beyond its ends and sides. points: (H, W, 3), script's frame.

    The middle column's top and bottom points span the belt's direction; turned about x so that it is the z
    axis, everything above -0.02 in y, beyond 1.8 in z or 1 to either side in x is background.
    """
    middle = points.shape[1] // 2
    top, bottom = points[0, middle], points[-1, middle]
    across, along = top[1] - bottom[1], top[2] - bottom[2]
    length = np.hypot(across, along)
    if length == 0:
        raise ValueError("the belt's top and bottom point are one: depth or pose is not Eyecandies'")
    cosine, sine = along / length, across / length
    y, z = points[..., 1] - bottom[1], points[..., 2] - bottom[2]
    too_high = cosine * y - sine * z > _BELT
    too_far = sine * y + cosine * z > _FAR
    return too_high | too_far | (np.abs(points[..., 0]) > _SIDE)
