"""Settings of the extractors and of the fusion. `models.extraction` loads the extractors."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Literal

from recipes.backbones import registered
from recipes.fusion import FusionKind, FusionTraining
from recipes.measured import Measured, rounded
from recipes.points import FpfhChoice, PointChoice, PointNetwork, relief

Modality = Literal["rgb", "xyz"]
"""The inputs of a part: an image ("rgb") and a cloud ("xyz")."""
RgbSide = Literal[28, 56, 84, 112, 168]
"""Patches along one edge of the RGB grid: 28 (8 x 8 pixels of 224) or 56, times the profile's scale."""

_RANGE_HEIGHTS = 2.0
"""Range of depth, in heights of the part: half of it is left for what stands out, for dents and for tilt."""
_HEIGHT = 0.03  # metres; of a part whose height could not be measured
_GAIN = 3.0
"""Gain of the normals of a part that is not flat (docs/results.md)."""


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
        return _weights_of(self.backbone)


def _weights_of(name: str) -> str:
    """Registered name of an image network's weights. Raises BadBackbone for an unknown network."""
    backbone = registered(name)
    return name if backbone is None else backbone.weights


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
        if not (math.isfinite(self.smoothing) and self.smoothing > 0):
            raise ValueError(f"smoothing must be a number above 0, not {self.smoothing}")
        if self.gain is not None and not (math.isfinite(self.gain) and self.gain > 0):
            raise ValueError(f"gain must be a number above 0, not {self.gain}")

    def resolved(self, measured: Measured | None) -> NormalsChoice:
        """The same settings with a number for the gain."""
        return replace(self, gain=self.gain or rounded(_GAIN * relief(measured)))


PictureChannels = Literal["rgb", "rgbd", "rgbcdn"]


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
            _weights_of(self.teacher)
        for name in ("depth_range", "smoothing", "gain"):
            number = getattr(self, name)
            if number is not None and not (math.isfinite(number) and number > 0):
                raise ValueError(f"{name} must be a number above 0, not {number}")

    def resolved(self, measured: Measured | None) -> PictureChoice:
        """The same settings with a number for the range of depth."""
        height = None if measured is None else measured.height
        wanted = self.depth_range or rounded(_RANGE_HEIGHTS * (height or _HEIGHT))
        return replace(self, depth_range=wanted)


@dataclass(frozen=True, slots=True)
class Extraction:
    """Settings of all extractors and of the fusion.

    Attributes:
        rgb: RGB extractor; None without RGB and fused banks.
        point: point extractor; None without point and fused banks.
        normals: normals extractor; None without a normals bank.
        picture: the part's pixels; None without a picture bank.
        fusion: how the fused patches are made; None without a fused bank.
        training: of the fusion network, if `fusion` is "uff_trained".

    Raises ValueError for a fusion of patches that do not cover each other.
    """

    rgb: RgbChoice | None = None
    point: PointChoice | None = None
    normals: NormalsChoice | None = None
    picture: PictureChoice | None = None
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
        sources |= {"picture": self.picture}
        return tuple(bank for bank, source in sources.items() if source is not None)

    def needs(self) -> tuple[Modality, ...]:
        """The inputs that a part must have."""
        deep = self.picture is not None and self.picture.channels != "rgb"
        sources: dict[Modality, object] = {
            "rgb": self.rgb or self.picture,
            "xyz": self.point or self.normals or (deep or None),
        }
        return tuple(modality for modality, source in sources.items() if source is not None)

    def weights(self) -> tuple[str, ...]:
        """Registered names of the weights of the networks."""
        images = [self.rgb, self.normals and self.normals.network]
        names = [choice.weights for choice in images if choice is not None]
        names += [_weights_of(self.picture.teacher)] if self.picture and self.picture.teacher else []
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
            picture=picture and picture.resolved(measured),
        )
