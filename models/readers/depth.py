"""A depth map and its camera become a cloud."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from models.sample import BadSample
from recipes.intrinsics import Intrinsics
from recipes.sensor import METRES, Unit

_UNITS: Mapping[str, Unit] = {"u": "mm", "f": "m"}
"""Default unit of depth by kind of number."""


def unproject(
    depth: NDArray[np.generic], intrinsics: Intrinsics, unit: Unit | None = None
) -> tuple[NDArray[np.float32], Unit | None]:
    """Compute (H, W, 3) float32 metres from depth (H, W) uint16 or float along the optical axis.

    Also returns the unit of the depth; None for a depth_scale that is no unit.

    Depth 0 and NaN mean no return. They become 0, 0, 0 and NaN. Without a depth_scale, the depth has the
    declared unit. Without a unit too, uint16 is millimetres and floating point is metres.
    Raises BadSample: depth_dtype; size_mismatch if the camera's width or height is not the depth map's.
    """
    if depth.dtype.kind not in "fu" or depth.dtype.itemsize > 8 or depth.dtype.itemsize < 2:
        raise BadSample("depth_dtype", f"The depth map must be uint16 or floating point, not {depth.dtype}.")
    height, width = depth.shape
    camera = (intrinsics.height or height, intrinsics.width or width)
    if camera != (height, width):
        raise BadSample(
            "size_mismatch",
            f"The depth map is {height} x {width} pixels, but the intrinsics are for {camera[0]:g} x "
            f"{camera[1]:g} (height x width). Give the intrinsics for the depth map's size.",
        )
    scale = intrinsics.depth_scale or METRES[unit or _UNITS[depth.dtype.kind]]
    rows = np.arange(depth.shape[0], dtype=np.float32)[:, None]
    columns = np.arange(depth.shape[1], dtype=np.float32)
    # 1e9 m is beyond any camera but finite in float32, so the range check reports it instead of an overflow.
    z = np.clip(depth.astype(np.float64) * scale, -1e9, 1e9).astype(np.float32)
    x = z * ((columns - np.float32(intrinsics.cx)) / np.float32(intrinsics.fx))
    y = z * ((rows - np.float32(intrinsics.cy)) / np.float32(intrinsics.fy))
    used: Unit | None = next((name for name in METRES if METRES[name] == scale), None)
    return np.stack([x, y, z], axis=2).astype(np.float32, copy=False), used
