"""Fusion by concatenation in which both modalities weigh the same (ours)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from models.features import Patches
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

    def __call__(self, rgb: Patches, point: Patches) -> Patches:
        """Fused patches on the point grid."""
        scaled_rgb = Patches(rgb.rows * self.rgb_scale, rgb.layout)
        rows = torch.cat([point.rows * self.point_scale, on_point_grid(scaled_rgb, point)], dim=1)
        return Patches(rows, point.layout)

    def state(self) -> dict[str, torch.Tensor]:
        """Both scales."""
        return {"point_scale": self.point_scale, "rgb_scale": self.rgb_scale}

    @classmethod
    def fit(cls, task: FusionTask) -> ScaledConcat:
        """The scales of the training patches: one pass, sums in float64."""
        rgb, point = Spread(), Spread()
        for rgb_patches, point_patches in task.pairs:
            rgb.add(rgb_patches.rows)
            point.add(point_patches.rows)
        return cls(point_scale=_scale(point), rgb_scale=_scale(rgb))

    @classmethod
    def from_state(cls, state: Mapping[str, torch.Tensor], device: str) -> ScaledConcat:
        """The inverse of `state`."""
        return cls(point_scale=state["point_scale"], rgb_scale=state["rgb_scale"])

    @classmethod
    def placeholder(cls, rgb_width: int, point_width: int, device: str) -> ScaledConcat:
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


def _scale(spread: Spread) -> torch.Tensor:
    """1 / root of the summed variances; 1 where nothing varies."""
    return torch.tensor(1 / spread.root if spread.root > 0 else 1.0, dtype=torch.float32)
