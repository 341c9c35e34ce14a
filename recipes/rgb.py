"""Settings of the RGB extractor."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from recipes.backbones import registered, weights_of

RgbSide = Literal[24, 28, 48, 56, 72, 84, 112, 168]
"""Patches along one edge of the RGB grid: 28 (8 x 8 pixels of 224) or 56, or 24 for a picture of cells, times
the profile's scale."""


@dataclass(frozen=True, slots=True)
class RgbChoice:
    """Settings of the RGB extractor.

    Attributes:
        backbone: a registered name or "timm:<model>".
        constants: "own" is the mean and standard deviation of the backbone's training; "paper" is that of
            ImageNet, which the published code uses for every backbone.
        stages: maps of a convolutional backbone, by timm's indices; None is the backbone's default.
        colour: factor of the plain colour features that follow the network's channels
            (`models.rgb.patch_colour`); 0 adds none, as in the paper. None follows how much the network's
            channels vary on the product: the build puts a number in its place.
        side: patches along one edge of the image.
        averaged: whether a cell of a convolutional map is the mean of the 3 x 3 cells around it, and a
            coarser map is spread evenly. False leaves cells as they are and repeats those of a coarser map,
            as PaDiM does.

    Raises ValueError for a wrong name, stage or factor. "timm:<model>" is checked only when the network is
    made.
    """

    backbone: str
    constants: Literal["own", "paper"] = "own"
    stages: tuple[int, ...] | None = None
    colour: float | None = 0.0
    side: RgbSide = 28
    averaged: bool = True

    def __post_init__(self) -> None:
        if self.colour is not None and not (math.isfinite(self.colour) and self.colour >= 0):
            raise ValueError(f"colour must be a number of at least 0, or null, not {self.colour}")
        backbone = registered(self.backbone)
        if backbone is not None and self.stages is not None:
            backbone.of_stages(self.stages)

    @property
    def weights(self) -> str:
        """Registered name of the network's weights."""
        return weights_of(self.backbone)
