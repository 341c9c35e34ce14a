"""Extraction: prepared parts become patch grids, by the extractors a profile names."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from models.features import PartFeatures, PatchGrid
from models.fpfh import FpfhExtractor, FpfhSettings
from models.preparation import PreparedPart
from models.rgb import RgbExtractor
from models.rgb_backbones import rgb_backbone
from models.weights import WeightStore

FusionKind = Literal["concat", "scaled_concat", "uff"]


@dataclass(frozen=True, slots=True)
class RgbChoice:
    """backbone: a registered name or "timm:<model>". constants: the backbone's own mean and std, or the
    ImageNet ones that the published code uses for all."""

    backbone: str
    constants: Literal["own", "paper"] = "own"


@dataclass(frozen=True, slots=True)
class Extraction:
    """Which extractors feed the banks. point_side: patches along an edge of the point (and fused) grid."""

    rgb: RgbChoice | None = None
    point: FpfhSettings | None = None
    point_side: int = 56
    fusion: FusionKind | None = None

    def banks(self) -> tuple[str, ...]:
        """The banks this extraction can feed."""
        feeds = {"rgb": self.rgb, "point": self.point, "fused": self.rgb and self.point and self.fusion}
        return tuple(bank for bank, source in feeds.items() if source is not None)

    def weights(self) -> tuple[str, ...]:
        """Registered names of the weights that the networks need."""
        return () if self.rgb is None else (rgb_backbone(self.rgb.backbone).weights,)


class Extractor:
    """The loaded extractors of one `Extraction`, without the fusion: that one is fitted on good parts."""

    def __init__(
        self, settings: Extraction, weights: WeightStore, *, rgb_size: int, device: str = "cpu"
    ) -> None:
        """Raises `models.weights.MissingWeights` with what to do where a network's weights are absent."""
        self._extractors: dict[str, Callable[[Sequence[PreparedPart]], list[PatchGrid]]] = {}
        self.weights: dict[str, str] = {}
        """sha256 of the weights of every network, by their registered name."""
        if settings.rgb is not None:
            name = rgb_backbone(settings.rgb.backbone).weights
            self.weights[name] = weights.describe(name).sha256
            self._extractors["rgb"] = RgbExtractor.load(
                settings.rgb.backbone, weights, device, constants=settings.rgb.constants, size=rgb_size
            )
        if settings.point is not None:
            self._extractors["point"] = FpfhExtractor(settings.point, side=settings.point_side)

    def __call__(self, part: PreparedPart) -> tuple[PartFeatures, dict[str, float]]:
        """Patch grids of one part, and the milliseconds each took."""
        features: dict[str, PatchGrid] = {}
        milliseconds: dict[str, float] = {}
        for bank, extract in self._extractors.items():
            start = time.perf_counter()
            (features[bank],) = extract([part])
            milliseconds[bank] = 1000 * (time.perf_counter() - start)
        return features, milliseconds
