"""Extraction: prepared parts become patches, by the extractors a profile names."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from models.features import PartFeatures, Patches
from models.fpfh import FpfhExtractor, FpfhSettings
from models.fusion import FusionKind
from models.point_transformer import PointExtractor, PointNetwork
from models.preparation import PreparedPart
from models.rgb import RgbExtractor
from models.rgb_backbones import rgb_backbone
from models.sample import Modality
from models.uff_training import FusionTraining
from models.weights import WeightStore


@dataclass(frozen=True, slots=True)
class RgbChoice:
    """backbone: a registered name or "timm:<model>". constants: the backbone's own mean and std, or the
    ImageNet ones that the published code uses for all. stages: of a convolutional backbone, by timm's
    indices; None for the backbone's own. colour: factor of the patches' plain colour, which follows the
    network's channels (`models.patch_colour`); 0 is without, as in the paper."""

    backbone: str
    constants: Literal["own", "paper"] = "own"
    stages: tuple[int, ...] | None = None
    colour: float = 0.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.colour) and self.colour >= 0):
            raise ValueError(f"the factor of colour must be a number of at least 0, not {self.colour}")


@dataclass(frozen=True, slots=True)
class FpfhChoice:
    """settings: of the histograms. side: patches along an edge of the point grid."""

    settings: FpfhSettings
    side: Literal[28, 56] = 56


PointChoice = FpfhChoice | PointNetwork


@dataclass(frozen=True, slots=True)
class Extraction:
    """Which extractors feed the banks, and how the fused one is made of them.

    training: of the fusion network, where `fusion` is "uff_trained". Raises ValueError for a fusion with
    point groups.
    """

    rgb: RgbChoice | None = None
    point: PointChoice | None = None
    fusion: FusionKind | None = None
    training: FusionTraining = field(default_factory=FusionTraining)

    def __post_init__(self) -> None:
        if self.fusion is not None and self.point is not None and self.point.side is None:
            raise ValueError(
                "point groups (side null) lie where the points are, not on the grid of the RGB patches: they "
                "feed the point bank only. Leave the fusion out (fusion null), or choose side 28 or 56."
            )

    def banks(self) -> tuple[str, ...]:
        """The banks this extraction can feed."""
        feeds = {"rgb": self.rgb, "point": self.point, "fused": self.rgb and self.point and self.fusion}
        return tuple(bank for bank, source in feeds.items() if source is not None)

    def needs(self) -> tuple[Modality, ...]:
        """What a part must have been recorded with."""
        sources: dict[Modality, object] = {"rgb": self.rgb, "xyz": self.point}
        return tuple(modality for modality, source in sources.items() if source is not None)

    def weights(self) -> tuple[str, ...]:
        """Registered names of the weights that the networks need."""
        names = [] if self.rgb is None else [rgb_backbone(self.rgb.backbone).weights]
        names += [self.point.kind] if isinstance(self.point, PointNetwork) else []
        return (*names, "uff") if self.fusion == "uff" else tuple(names)


class Extractor:
    """The loaded extractors of one `Extraction`, without the fusion: that one is fitted on good parts."""

    def __init__(
        self, settings: Extraction, weights: WeightStore, *, rgb_size: int, device: str = "cpu"
    ) -> None:
        """Raises `models.weights.MissingWeights` with what to do where a network's weights are absent."""
        self.weights = {name: weights.describe(name).sha256 for name in settings.weights()}
        """sha256 of the weights of every network, by their registered name."""
        self.needs = settings.needs()
        self._extractors: dict[str, Callable[[Sequence[PreparedPart]], list[Patches]]] = {}
        if settings.rgb is not None:
            self._extractors["rgb"] = rgb_extractor(settings.rgb, weights, device, size=rgb_size)
        if settings.point is not None:
            self._extractors["point"] = point_extractor(settings.point, weights, device)

    def __call__(self, part: PreparedPart) -> tuple[PartFeatures, dict[str, float]]:
        """Patches of one part, and the milliseconds each took."""
        features: dict[str, Patches] = {}
        milliseconds: dict[str, float] = {}
        for bank, extract in self._extractors.items():
            start = time.perf_counter()
            (features[bank],) = extract([part])
            milliseconds[bank] = 1000 * (time.perf_counter() - start)
        return features, milliseconds


def rgb_extractor(choice: RgbChoice, weights: WeightStore, device: str, *, size: int) -> RgbExtractor:
    """The loaded extractor of a choice, for parts prepared at `size` pixels."""
    return RgbExtractor.load(
        choice.backbone,
        weights,
        device,
        constants=choice.constants,
        size=size,
        stages=choice.stages,
        colour=choice.colour,
    )


def point_extractor(choice: PointChoice, weights: WeightStore, device: str) -> FpfhExtractor | PointExtractor:
    """The loaded extractor of a choice."""
    if isinstance(choice, FpfhChoice):
        return FpfhExtractor(choice.settings, side=choice.side, device=device)
    return PointExtractor.load(choice, weights.load(choice.kind), device)
