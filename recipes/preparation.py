"""Settings of the preparation: background, sizes, and the sensor's value for no return."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

SMALLEST = 28
"""Smallest side of a prepared image or cloud grid, pixels: one pixel per patch of the coarsest grid."""
LARGEST = 4096


@dataclass(frozen=True, slots=True)
class Preparation:
    """Settings that training parts and scored parts share. They are stored in the manifest.

    Attributes:
        background: "plane" removes the support plane and keeps the largest piece; "none" keeps everything,
            for parts that were prepared as the published script does.
        size: side of the square cloud grid, pixels.
        rgb_size: side of the square RGB image, pixels.
        min_points: a part with fewer valid points on the cloud grid is refused (1024 groups of 128 points
            need 1152).
        no_return: the z, metres, that the sensor writes for no return, besides 0, 0, 0 and NaN.

    Raises ValueError for impossible numbers.
    """

    background: Literal["plane", "none"] = "plane"
    size: int = 224
    rgb_size: int = 224
    min_points: int = 1152
    no_return: float | None = None

    def __post_init__(self) -> None:
        for name, pixels in (("size", self.size), ("rgb_size", self.rgb_size)):
            if not SMALLEST <= pixels <= LARGEST:
                raise ValueError(f"{name} must lie between {SMALLEST} and {LARGEST} pixels, not {pixels}")
        if not 1 <= self.min_points <= self.size**2:
            raise ValueError(
                f"min_points must lie between 1 and the {self.size**2} points of the grid, "
                f"not {self.min_points}"
            )
        if self.no_return is not None and not math.isfinite(self.no_return):
            raise ValueError("no_return must be a finite number; NaN and infinity always mean no return")
