"""From a depth map and its camera to a cloud."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.readers.intrinsics import Intrinsics
from models.sample import BadSample

_SCALES = {"u": 0.001, "f": 1.0}
"""Metres a unit of depth where none is given, by kind of number: millimetres, metres."""


def unproject(depth: NDArray[np.generic], intrinsics: Intrinsics) -> NDArray[np.float32]:
    """(H, W, 3) float32 metres from depth (H, W) uint16 or float along the optical axis.

    0 and NaN mean no return and come out as 0, 0, 0 and NaN. Without a depth_scale, uint16 is millimetres
    and floating point is metres. Raises BadSample depth_dtype; size_mismatch where the camera's width or
    height is not the map's.
    """
    if depth.dtype.kind not in "fu" or depth.dtype.itemsize > 8 or depth.dtype.itemsize < 2:
        raise BadSample("depth_dtype", f"Depth must be uint16 or floating point, not {depth.dtype}.")
    height, width = depth.shape
    camera = (intrinsics.height or height, intrinsics.width or width)
    if camera != (height, width):
        raise BadSample(
            "size_mismatch",
            f"The depth map is {height} x {width} and the intrinsics are of a camera of {camera[0]:g} x "
            f"{camera[1]:g} (height x width). Give the intrinsics of the depth map's own size.",
        )
    scale = intrinsics.depth_scale or _SCALES[depth.dtype.kind]
    rows = np.arange(depth.shape[0], dtype=np.float32)[:, None]
    columns = np.arange(depth.shape[1], dtype=np.float32)
    # Beyond any camera, but finite in float32: the range check then says so instead of an overflow.
    z = np.clip(depth.astype(np.float64) * scale, -1e9, 1e9).astype(np.float32)
    x = z * ((columns - np.float32(intrinsics.cx)) / np.float32(intrinsics.fx))
    y = z * ((rows - np.float32(intrinsics.cy)) / np.float32(intrinsics.fy))
    return np.stack([x, y, z], axis=2).astype(np.float32, copy=False)
