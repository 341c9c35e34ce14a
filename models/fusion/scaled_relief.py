"""Fusion of image, histograms and relief on the RGB grid (ours)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from models.features import PartFeatures, Patches
from models.fusion.fusion import FusionTask, on_rgb_grid
from models.fusion.scaled_concat import training_scales
from models.weights.store import WeightStore

_WEIGHTS = {"point": 0.5, "relief": 0.5, "rgb": 1.0}
"""Shares in a squared fused distance: the surface counts as much as the image."""


@dataclass(frozen=True)
class ScaledRelief:
    """Concatenation of scaled patches; see `models.fusion.fusion.Fusion`.

    Each modality is scaled as by `ScaledConcat`, and weighted. Finer patches become the mean of those that
    one RGB patch covers: a quarter of the rows shows defects as well (docs/results.md).

    factors: () float32 of each modality.
    """

    factors: Mapping[str, torch.Tensor]

    def __call__(self, features: PartFeatures) -> Patches:
        """Fused patches on the RGB grid: (side * side, C_point + C_relief + C_rgb) float32."""
        rgb = features["rgb"]
        rows = [on_rgb_grid(features[bank], rgb) * factor for bank, factor in self.factors.items()]
        return Patches(torch.cat(rows, dim=1), rgb.layout)

    def state(self) -> dict[str, torch.Tensor]:
        """The factors, by modality."""
        return dict(self.factors)

    @classmethod
    def fit(cls, task: FusionTask) -> ScaledRelief:
        """The weighted scales of the training patches."""
        scales = training_scales(task, tuple(_WEIGHTS))
        return cls({bank: scales[bank] * weight**0.5 for bank, weight in _WEIGHTS.items()})

    @classmethod
    def from_state(cls, state: Mapping[str, torch.Tensor], device: str) -> ScaledRelief:
        """The inverse of `state`."""
        return cls({bank: state[bank] for bank in _WEIGHTS})

    @classmethod
    def placeholder(cls, features: PartFeatures, device: str) -> ScaledRelief:
        """Factors of 1."""
        return cls({bank: torch.ones(()) for bank in _WEIGHTS})

    @classmethod
    def training_s(cls, task: FusionTask) -> float:
        """Nothing is trained."""
        return 0.0

    @classmethod
    def ready(cls, weights: WeightStore, device: str) -> None:
        """The factors are of the training patches."""
        return None
