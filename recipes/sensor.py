"""What is declared about the recordings of a product: units, height maps, the camera, image and cloud."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, get_args

from recipes.intrinsics import Intrinsics

Unit = Literal["m", "mm", "um", "inch"]
METRES: Mapping[Unit, float] = MappingProxyType({"m": 1.0, "mm": 1e-3, "um": 1e-6, "inch": 0.0254})
"""Metres per unit of length."""
Registration = Literal["pixels", "scaled"]
_LEAST_BITS, _MOST_BITS = 8, 16


@dataclass(frozen=True, slots=True)
class Sensor:
    """What is declared about the files of a part. The files themselves do not say it.

    Attributes:
        xyz_unit: unit of the coordinates and of the lengths below. None: the unit that the file names, else
            metres.
        x_pitch, y_pitch: distance of neighbouring columns and rows of a height map, in `xyz_unit`. None: a
            cloud is no height map.
        z_scale, z_offset: the z of a height map is stored value * z_scale + z_offset, in `xyz_unit`.
        invalid: the stored z (or height, or depth) that means no return, besides NaN and 0, 0, 0.
        intrinsics: the camera of depth maps.
        image_bits: bits of an image with 16 bits per channel that hold a number. None: all, or what the file
            says.
        registration: "pixels": image and cloud have the same size, pixel for pixel. "scaled": both show the
            same field of view, and their sizes may differ by a ratio.

    Raises ValueError for impossible settings.
    """

    xyz_unit: Unit | None = None
    x_pitch: float | None = None
    y_pitch: float | None = None
    z_scale: float = 1.0
    z_offset: float = 0.0
    invalid: float | None = None
    intrinsics: Intrinsics | None = None
    image_bits: int | None = None
    registration: Registration = "pixels"

    def __post_init__(self) -> None:
        if self.xyz_unit is not None and self.xyz_unit not in METRES:
            raise ValueError(f"xyz_unit must be one of {', '.join(METRES)}")
        if self.registration not in get_args(Registration):
            raise ValueError(f"registration must be one of {', '.join(get_args(Registration))}")
        for name in ("x_pitch", "y_pitch", "z_scale", "z_offset", "invalid"):
            number = getattr(self, name)
            if number is not None and not math.isfinite(number):
                raise ValueError(f"{name} must be a finite number")
        if any(pitch is not None and pitch <= 0 for pitch in (self.x_pitch, self.y_pitch)):
            raise ValueError("x_pitch and y_pitch must be above 0")
        if (self.x_pitch is None) != (self.y_pitch is None):
            raise ValueError("a height map needs both x_pitch and y_pitch")
        if self.z_scale == 0:
            raise ValueError("z_scale must not be 0")
        if self.image_bits is not None and not _LEAST_BITS <= self.image_bits <= _MOST_BITS:
            raise ValueError(f"image_bits must lie between {_LEAST_BITS} and {_MOST_BITS}")

    @property
    def metres(self) -> float | None:
        """Metres per unit of the declared lengths; None without a declared unit."""
        return None if self.xyz_unit is None else METRES[self.xyz_unit]
