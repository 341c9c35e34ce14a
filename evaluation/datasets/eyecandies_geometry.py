"""Convert Eyecandies' depth maps to clouds without background, as M3DM's conversion script does."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

CloudFrame = Literal["script", "camera"]
"""Frame of the cloud. "script": M3DM's frame and scale, (0.1 x, -0.1 z, 0.1 y) of the point after the inverse
pose. "camera": the camera's frame in metres, from the intrinsics alone, as the paper says."""

FOCAL = 711.11
"""Focal length, pixels. The principal point is (width / 2, height / 2); integer coordinates are pixel
centres."""

_SCALE = np.array([0.1, -0.1, 0.1])
_BELT = -0.02
_FAR = 1.8
_SIDE = 1.0


def decode_depth(raw: NDArray[np.uint16], low: float, high: float) -> NDArray[np.float64]:
    """(H, W) metres along the optical axis. raw: (H, W); low, high: info_depth.yaml's normalization."""
    return raw / 65535.0 * (high - low) + low


def cloud_of(depth: NDArray[np.float64], pose: NDArray[np.float64], frame: CloudFrame) -> NDArray[np.float32]:
    """Compute the cloud: (H, W, 3) float32, exactly 0, 0, 0 for background.

    depth: (H, W) metres. pose: (4, 4), camera to world. The background is found in the script's frame,
    because its limits are valid only there. The script marks background by x = 0 alone, and its reader needs
    three coordinates other than 0. Three zeros mean background to every reader.
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
    """(H, W, 3) points of the camera's frame after the inverse pose.

    The pose maps camera to world, so its inverse does not give world points. Eyecandies' own library
    corrected this error later. M3DM kept it, and M3DM's background limits are valid in this frame.
    """
    inverse = np.linalg.inv(pose)
    return camera @ inverse[:3, :3].T + inverse[:3, 3]


def is_background(points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(H, W) bool, True for the belt and for points beyond its ends and sides.

    points: (H, W, 3) in the script's frame. The direction of the belt goes through the top and bottom points
    of the middle column. The points are rotated about x, so that this direction is the z axis. Points above
    -0.02 in y, beyond 1.8 in z, or more than 1 away in x are background. Raises ValueError if both points are
    equal.
    """
    middle = points.shape[1] // 2
    top, bottom = points[0, middle], points[-1, middle]
    across, along = top[1] - bottom[1], top[2] - bottom[2]
    length = np.hypot(across, along)
    if length == 0:
        raise ValueError("the belt's top and bottom point are equal: the depth or pose is not Eyecandies'")
    cosine, sine = along / length, across / length
    y, z = points[..., 1] - bottom[1], points[..., 2] - bottom[2]
    too_high = cosine * y - sine * z > _BELT
    too_far = sine * y + cosine * z > _FAR
    return too_high | too_far | (np.abs(points[..., 0]) > _SIDE)
