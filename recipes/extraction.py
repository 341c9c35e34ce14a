"""Settings of the extractors and of the fusion. `models.extraction` loads the extractors."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Literal

from recipes.colour import ColourChoice
from recipes.fusion import FusionKind, FusionTraining
from recipes.measured import Measured, rounded
from recipes.picture import AnyPicture, check_smoothing
from recipes.points import FpfhChoice, PointChoice, PointNetwork, relief
from recipes.relief import ReliefChoice
from recipes.rgb import RgbChoice

Modality = Literal["rgb", "xyz"]
"""The inputs of a part: an image ("rgb") and a cloud ("xyz")."""

_GAIN = 3.0
"""Gain of the normals of a part that is not flat (docs/results.md)."""


@dataclass(frozen=True, slots=True)
class NormalsChoice:
    """Settings of the normals extractor: an image network sees a picture of the part's surface normals.

    Attributes:
        network: the image network and its grid; without plain colour, because a picture of normals has none.
        smoothing: standard deviation, in points of the prepared grid, of the Gaussian that smooths the cloud
            before its normals are taken.
        gain: factor of every normal's slope against the part's mean normal, because a small dent hardly turns
            a normal. None means that the factor follows the product: `resolved` puts a number in its place.
        averaged: whether a patch is the mean of 3 x 3 patches around it.

    Raises ValueError for plain colour or impossible numbers.
    """

    network: RgbChoice
    smoothing: float = 1.0
    gain: float | None = None
    averaged: bool = True

    def __post_init__(self) -> None:
        if self.network.colour != 0:
            raise ValueError("a picture of normals has no plain colour: set normals.network.colour to 0")
        check_smoothing(self.smoothing)
        if self.gain is not None and not (math.isfinite(self.gain) and self.gain > 0):
            raise ValueError(f"gain must be a number above 0, not {self.gain}")

    def resolved(self, measured: Measured | None) -> NormalsChoice:
        """The same settings with a number for the gain."""
        return replace(self, gain=self.gain or rounded(_GAIN * relief(measured)))


@dataclass(frozen=True, slots=True)
class Extraction:
    """Settings of all extractors and of the fusion.

    Attributes:
        rgb: RGB extractor; None without RGB and fused banks.
        point: point extractor; None without point and fused banks.
        normals: normals extractor; None without a normals bank.
        relief: relief extractor; None without a relief bank.
        colour: colour extractor; None without a colour bank.
        picture: the part's pixels, or cells of them; None without a picture bank.
        fusion: how the fused patches are made; None without a fused bank.
        training: of the fusion network, if `fusion` is "uff_trained".

    Raises ValueError for a fusion of patches that do not cover each other.
    """

    rgb: RgbChoice | None = None
    point: PointChoice | None = None
    normals: NormalsChoice | None = None
    relief: ReliefChoice | None = None
    colour: ColourChoice | None = None
    picture: AnyPicture | None = None
    fusion: FusionKind | None = None
    training: FusionTraining = field(default_factory=FusionTraining)

    def __post_init__(self) -> None:
        if self.fusion is None or self.point is None or self.rgb is None:
            return
        if self.point.side is None:
            raise ValueError(
                "point groups (side null) are not on the grid of the RGB patches, so they work with the "
                "point bank only. Set fusion to null, or side to 28 or 56"
            )
        if self.point.side not in (self.rgb.side, 2 * self.rgb.side):
            raise ValueError(
                f"point.side {self.point.side} with rgb.side {self.rgb.side}: an RGB patch must cover one or "
                f"2 x 2 point patches to be fused. Choose point.side {self.rgb.side} or {2 * self.rgb.side}"
            )

    def banks(self) -> tuple[str, ...]:
        """Names of the banks that this extraction has features for."""
        fused = self.rgb and self.point and self.fusion
        sources = {"rgb": self.rgb, "point": self.point, "normals": self.normals, "fused": fused}
        sources |= {"relief": self.relief, "colour": self.colour, "picture": self.picture}
        return tuple(bank for bank, source in sources.items() if source is not None)

    def needs(self) -> tuple[Modality, ...]:
        """The inputs that a part must have."""
        image, cloud = (False, False) if self.picture is None else self.picture.sees
        sees: dict[Modality, bool] = {
            "rgb": image or any(one is not None for one in (self.rgb, self.relief, self.colour)),
            "xyz": cloud or any(one is not None for one in (self.point, self.normals, self.relief)),
        }
        return tuple(modality for modality, seen in sees.items() if seen)

    def weights(self) -> tuple[str, ...]:
        """Registered names of the weights of the networks."""
        images = [self.rgb, self.normals and self.normals.network]
        names = [choice.weights for choice in images if choice is not None]
        names += [self.picture.weights] if self.picture and self.picture.weights else []
        names += [self.point.kind] if isinstance(self.point, PointNetwork) else []
        names += ["uff"] if self.fusion == "uff" else []
        return tuple(dict.fromkeys(names))

    @property
    def follows_colour(self) -> bool:
        """Whether the factor of the plain colour still follows the product."""
        return self.rgb is not None and self.rgb.colour is None

    def coloured(self, factor: float | None) -> Extraction:
        """The same settings with this factor of the plain colour, if it still follows the product."""
        if self.rgb is None or self.rgb.colour is not None:
            return self
        return replace(self, rgb=replace(self.rgb, colour=factor))

    @property
    def follows_usual_colour(self) -> bool:
        """Whether what is usual for the colour bank still follows the product."""
        return self.colour is not None and self.colour.usual is None

    def with_usual_colour(self, choice: ColourChoice | None) -> Extraction:
        """The same settings with what is usual for the colour bank, if it still follows the product."""
        return replace(self, colour=choice) if choice is not None and self.follows_usual_colour else self

    @property
    def follows_relief(self) -> bool:
        """Whether what is usual for the relief still follows the product."""
        return self.relief is not None and (self.relief.usual is None or self.relief.inside is None)

    def with_relief(self, choice: ReliefChoice | None) -> Extraction:
        """The same settings with what is usual for the relief, if it still follows the product."""
        return replace(self, relief=choice) if choice is not None and self.follows_relief else self

    def resolved(self, measured: Measured | None) -> Extraction:
        """The same settings with a number for every length that follows the product.

        measured: of the product; None where no cloud could be measured.
        """
        point, normals, picture = self.point, self.normals, self.picture
        if isinstance(point, FpfhChoice):
            point = replace(point, settings=point.settings.resolved(measured))
        return replace(
            self,
            point=point,
            normals=normals and normals.resolved(measured),
            relief=self.relief and self.relief.resolved(measured),
            picture=picture and picture.resolved(measured),
        )
