"""Which extractors feed the banks. `models.extraction` loads them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from recipes.backbones import registered
from recipes.fusion import FusionKind, FusionTraining
from recipes.points import PointChoice, PointNetwork

Modality = Literal["rgb", "xyz"]
"""What a part can have been recorded with: an image, a cloud."""


@dataclass(frozen=True, slots=True)
class RgbChoice:
    """backbone: a registered name or "timm:<model>". constants: the backbone's own mean and std, or the
    ImageNet ones that the published code uses for all. stages: of a convolutional backbone, by timm's
    indices; None for the backbone's own. colour: factor of the patches' plain colour, which follows the
    network's channels (`models.rgb.patch_colour`); 0 is without, as in the paper.

    Raises ValueError for a name, stages or a factor that cannot be; what "timm:<model>" names is known only
    once the network is made."""

    backbone: str
    constants: Literal["own", "paper"] = "own"
    stages: tuple[int, ...] | None = None
    colour: float = 0.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.colour) and self.colour >= 0):
            raise ValueError(f"the factor of colour must be a number of at least 0, not {self.colour}")
        backbone = registered(self.backbone)
        if backbone is not None and self.stages is not None:
            backbone.of_stages(self.stages)


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
        names: list[str] = []
        if self.rgb is not None:
            backbone = registered(self.rgb.backbone)
            names.append(self.rgb.backbone if backbone is None else backbone.weights)
        names += [self.point.kind] if isinstance(self.point, PointNetwork) else []
        return (*names, "uff") if self.fusion == "uff" else tuple(names)
