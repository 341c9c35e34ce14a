"""Fusion by concatenation in which both modalities weigh the same (ours)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from models.features import PartFeatures, Patches
from models.fusion.fusion import FusionTask, on_point_grid
from models.spread import Spread
from models.weights.store import WeightStore


@dataclass(frozen=True)
class ScaledConcat:
    """Concatenation of scaled patches; see `models.fusion.fusion.Fusion`.

    Each modality is divided by the root of its summed channel variances over the training patches, so both
    halves of a fused distance have the same mean square between two random patches. One factor a modality:
    a factor a channel would blow up channels that hardly ever move.

    point_scale, rgb_scale: () float32 factors.
    """

    point_scale: torch.Tensor
    rgb_scale: torch.Tensor

    def __call__(self, features: PartFeatures) -> Patches:
        """Fused patches on the point grid."""
        rgb, point = features["rgb"], features["point"]
        scaled_rgb = Patches(rgb.rows * self.rgb_scale, rgb.layout)
        rows = torch.cat([point.rows * self.point_scale, on_point_grid(scaled_rgb, point)], dim=1)
        return Patches(rows, point.layout)

    def state(self) -> dict[str, torch.Tensor]:
        """Both scales."""
        return {"point_scale": self.point_scale, "rgb_scale": self.rgb_scale}

    @classmethod
    def fit(cls, task: FusionTask) -> ScaledConcat:
        """The scales of the training patches."""
        scales = training_scales(task, ("point", "rgb"))
        return cls(point_scale=scales["point"], rgb_scale=scales["rgb"])

    @classmethod
    def from_state(cls, state: Mapping[str, torch.Tensor], device: str) -> ScaledConcat:
        """The inverse of `state`."""
        return cls(point_scale=state["point_scale"], rgb_scale=state["rgb_scale"])

    @classmethod
    def placeholder(cls, features: PartFeatures, device: str) -> ScaledConcat:
        """Scales of 1."""
        return cls(torch.ones(()), torch.ones(()))

    @classmethod
    def training_s(cls, task: FusionTask) -> float:
        """Nothing is trained."""
        return 0.0

    @classmethod
    def ready(cls, weights: WeightStore, device: str) -> None:
        """The scales are of the training patches."""
        return None


def training_scales(task: FusionTask, banks: Sequence[str]) -> dict[str, torch.Tensor]:
    """For each of these banks, 1 / root of the summed channel variances of the training patches, () float32;
    1 where nothing varies. One pass, sums in float64."""
    spreads = {bank: Spread() for bank in banks}
    for features in task.parts:
        for bank, spread in spreads.items():
            spread.add(features[bank].rows)
    return {
        bank: torch.tensor(1 / spread.root if spread.root > 0 else 1.0, dtype=torch.float32)
        for bank, spread in spreads.items()
    }
