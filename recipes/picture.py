"""Settings of the picture bank: the part's pixels, or a coarse picture of cells."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Tag

from recipes.backbones import weights_of
from recipes.measured import Measured, rounded
from recipes.rgb import RgbChoice

PictureChannels = Literal["rgb", "rgbd", "rgbcdn"]
CellSide = Literal[24, 48, 72]
"""Cells along an edge: 24, times the profile's scale."""

WIDEST = 100.0
"""Largest standard deviation of a Gaussian over a grid, in places of the grid."""
_RANGE_HEIGHTS = 2.0
"""Range of depth, in heights of the part: half of it is left for what stands out, for dents and for tilt."""
_UNIT_HEIGHTS = 1 / 3
"""Unit of depth, in heights of the part: the published centimetre, where a part is 3 cm high."""
_HEIGHT = 0.03  # metres; of a part whose height could not be measured


@dataclass(frozen=True, slots=True)
class PictureChoice:
    """Settings of the picture: the part's pixels themselves, of `preparation.rgb_size` (`models.picture`).

    Attributes:
        channels: "rgb" the image; "rgbd" image and depth; "rgbcdn" image, depth clipped to a range, and
            surface normals.
        depth_range: metres between the depths 0 and 1 of "rgbcdn". None follows the product: `resolved` puts
            a number in its place.
        smoothing, gain: of the normals, as in `NormalsChoice`. The defaults do not enlarge slopes.
        teacher: the image network that teaches a student (STFPM), a registered name or "timm:<model>"; None
            for a method without one.

    Raises ValueError for impossible numbers.
    """

    channels: PictureChannels = "rgb"
    depth_range: float | None = None
    smoothing: float = 1.0
    gain: float = 1.0
    teacher: str | None = None

    def __post_init__(self) -> None:
        if self.teacher is not None:
            weights_of(self.teacher)
        _check_positive(self, "depth_range", "gain")
        check_smoothing(self.smoothing)

    @property
    def weights(self) -> str | None:
        """Registered name of the weights of the network that sees the picture."""
        return None if self.teacher is None else weights_of(self.teacher)

    @property
    def sees(self) -> tuple[bool, bool]:
        """Whether the picture shows the image, and whether it shows the cloud."""
        return True, self.channels != "rgb"

    def resolved(self, measured: Measured | None) -> PictureChoice:
        """The same settings with a number for the range of depth."""
        return replace(self, depth_range=self.depth_range or rounded(_RANGE_HEIGHTS * _height(measured)))


@dataclass(frozen=True, slots=True)
class CellsChoice:
    """Settings of a picture of cells: what an image network and the cloud say of each (`models.cells`).

    Attributes:
        backbone: the image network, a registered name or "timm:<model>"; None for depth alone.
        stages: maps of the network, by timm's indices; None is the network's default.
        side: cells along an edge; `preparation.size` must be a multiple.
        depth: whether a cell also holds the depths of its pixels.
        depth_unit: metres that are a depth of 1. None follows the product: `resolved` puts a number in its
            place.

    Raises ValueError for impossible settings.
    """

    backbone: str | None
    stages: tuple[int, ...] | None = None
    side: CellSide = 24
    depth: bool = True
    depth_unit: float | None = None

    def __post_init__(self) -> None:
        image = self.image  # refuses a wrong network and wrong stages
        if image is None and not self.depth:
            raise ValueError("a picture of cells needs a backbone, or depth set to true")
        _check_positive(self, "depth_unit")

    @property
    def image(self) -> RgbChoice | None:
        """The network and its grid. Cells are not averaged: the networks that follow see around them."""
        if self.backbone is None:
            return None
        return RgbChoice(self.backbone, stages=self.stages, side=self.side, averaged=False)

    @property
    def weights(self) -> str | None:
        """Registered name of the weights of the network."""
        return None if self.backbone is None else weights_of(self.backbone)

    @property
    def sees(self) -> tuple[bool, bool]:
        """Whether the picture shows the image, and whether it shows the cloud."""
        return self.backbone is not None, self.depth

    def resolved(self, measured: Measured | None) -> CellsChoice:
        """The same settings with a number for the unit of depth."""
        return replace(self, depth_unit=self.depth_unit or rounded(_UNIT_HEIGHTS * _height(measured)))


PICTURES = ("pixels", "cells")
"""Names of the two choices in the field paths of pydantic's errors."""


def _kind(value: Any) -> str:
    """Which of the two choices a value is. Only a picture of cells has a field `backbone`."""
    cells = "backbone" in value if isinstance(value, dict) else isinstance(value, CellsChoice)
    return PICTURES[1] if cells else PICTURES[0]


AnyPicture = Annotated[
    Annotated[PictureChoice, Tag(PICTURES[0])] | Annotated[CellsChoice, Tag(PICTURES[1])],
    Discriminator(_kind),
]


def _height(measured: Measured | None) -> float:
    """Height of the product, metres."""
    return (None if measured is None else measured.height) or _HEIGHT


def check_smoothing(deviation: float) -> None:
    """Raise ValueError for a Gaussian that cannot be computed, or is wider than a grid."""
    if not 0 < deviation <= WIDEST:
        raise ValueError(f"smoothing must be a number above 0 and at most {WIDEST:g}, not {deviation}")


def _check_positive(choice: PictureChoice | CellsChoice, *names: str) -> None:
    for name in names:
        number = getattr(choice, name)
        if number is not None and not (math.isfinite(number) and number > 0):
            raise ValueError(f"{name} must be a number above 0, not {number}")
