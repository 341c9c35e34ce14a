"""Depth maps and the pinhole camera that makes clouds of them."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from models.sample import BadSample

_JSON_BYTES = 8192


@dataclass(frozen=True, slots=True)
class Intrinsics:
    """A pinhole camera without distortion.

    fx, fy: focal lengths, pixels. cx, cy: principal point, pixels; integer coordinates are pixel centres.
    depth_scale: metres per unit of depth (0.001 for the usual millimetres).
    Raises BadSample intrinsics_invalid.
    """

    fx: float
    fy: float
    cx: float
    cy: float
    depth_scale: float = 0.001

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            # Infinity and NaN fail the comparison too; math.isfinite overflows on an integer of 400 digits.
            if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e6:
                raise BadSample("intrinsics_invalid", f"{field.name} must be a finite number below 1e6.")
            if field.name in ("fx", "fy", "depth_scale") and value <= 0:
                raise BadSample("intrinsics_invalid", f"{field.name} must be above 0.")

    @classmethod
    def from_json(cls, data: bytes) -> Intrinsics:
        """Parse {"fx": ..., "fy": ..., "cx": ..., "cy": ..., "depth_scale": ...}; the last may be missing."""
        names = [field.name for field in fields(cls)]
        try:
            values = json.loads(data[: _JSON_BYTES + 1]) if len(data) <= _JSON_BYTES else None
        except (ValueError, RecursionError) as error:
            raise BadSample("intrinsics_invalid", "The intrinsics are not JSON.") from error
        if not isinstance(values, dict) or not set(names[:4]) <= set(values) <= set(names):
            raise BadSample(
                "intrinsics_invalid",
                "The intrinsics must be a JSON object with fx, fy, cx, cy and, if wanted, depth_scale.",
            )
        return cls(**values)


def unproject(depth: NDArray[np.generic], intrinsics: Intrinsics) -> NDArray[np.float32]:
    """(H, W, 3) float32 metres from depth (H, W) uint16 or float along the optical axis; 0 and NaN mean no
    return and come out as 0, 0, 0 and NaN. Raises BadSample depth_dtype."""
    if depth.dtype.kind not in "fu" or depth.dtype.itemsize > 8 or depth.dtype.itemsize < 2:
        raise BadSample("depth_dtype", f"Depth must be uint16 or floating point, not {depth.dtype}.")
    rows = np.arange(depth.shape[0], dtype=np.float32)[:, None]
    columns = np.arange(depth.shape[1], dtype=np.float32)
    # Beyond any camera, but finite in float32: the range check then says so instead of an overflow.
    z = np.clip(depth.astype(np.float64) * intrinsics.depth_scale, -1e9, 1e9).astype(np.float32)
    x = z * ((columns - np.float32(intrinsics.cx)) / np.float32(intrinsics.fx))
    y = z * ((rows - np.float32(intrinsics.cy)) / np.float32(intrinsics.fy))
    return np.stack([x, y, z], axis=2).astype(np.float32, copy=False)
