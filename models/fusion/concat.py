"""Fusion by plain concatenation (supplement Table II, "w/o UFF")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from models.features import Patches
from models.fusion.fusion import FusionTask, on_point_grid
from models.weights.store import WeightStore


@dataclass(frozen=True)
class Concat:
    """Point channels, then RGB channels; see `models.fusion.fusion.Fusion`."""

    def __call__(self, rgb: Patches, point: Patches) -> Patches:
        """Fused patches on the point grid."""
        return Patches(torch.cat([point.rows, on_point_grid(rgb, point)], dim=1), point.layout)

    def state(self) -> dict[str, torch.Tensor]:
        """Nothing to keep."""
        return {}

    @classmethod
    def fit(cls, task: FusionTask) -> Concat:
        """Nothing to fit."""
        return cls()

    @classmethod
    def from_state(cls, state: Mapping[str, torch.Tensor], device: str) -> Concat:
        """Nothing was kept."""
        return cls()

    @classmethod
    def placeholder(cls, rgb_width: int, point_width: int, device: str) -> Concat:
        """The fusion itself."""
        return cls()

    @classmethod
    def training_s(cls, task: FusionTask) -> float:
        """Nothing is trained."""
        return 0.0

    @classmethod
    def ready(cls, weights: WeightStore, device: str) -> Concat:
        """The fusion itself."""
        return cls()
