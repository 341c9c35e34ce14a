"""Fusion: patches of one part from several extractors become one fused patch each (paper sec. 3.3).

One class is one fusion: how the fusion is fitted when banks are built, which tensors a version keeps, and how
the fusion comes back from these tensors. `models.fusion.registry` knows all classes by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

import torch

from models.features import PartFeatures, Patches
from models.points.alignment import expand
from models.weights.store import WeightStore
from recipes.fusion import FusionTraining


@dataclass(frozen=True)
class FusionTask:
    """What fitting a fusion may use.

    parts: patches of the training parts by bank.
    folder: scratch space.
    weights: the store of a network that is trained already.
    training: settings of a network that is trained here.
    device: where the fusion will run.
    progress: called with the steps done, all steps, and the loss.
    """

    parts: Sequence[PartFeatures]
    folder: Path
    weights: WeightStore
    training: FusionTraining
    device: str
    progress: Callable[[int, int, float], None]


class Fusion(Protocol):
    """One fusion. Point channels come first in a fused patch, as in the published code."""

    def __call__(self, features: PartFeatures) -> Patches:
        """Fused patches, one row a patch, the channels of all that is fused side by side, float32.

        features: of one part by bank, with the RGB and point patches at least.
        """
        ...

    def state(self) -> dict[str, torch.Tensor]:
        """The tensors that a version keeps in fusion.safetensors; empty where there is nothing to keep."""
        ...

    @classmethod
    def fit(cls, task: FusionTask) -> Self:
        """The fusion for banks of these training parts."""
        ...

    @classmethod
    def from_state(cls, state: Mapping[str, torch.Tensor], device: str) -> Self:
        """The inverse of `state`."""
        ...

    @classmethod
    def placeholder(cls, features: PartFeatures, device: str) -> Self:
        """A fusion of patches like these, as large and fast as a fitted one, for a plan. What it makes of
        patches means nothing."""
        ...

    @classmethod
    def training_s(cls, task: FusionTask) -> float:
        """Seconds that `fit` trains on this machine, measured in a few steps; 0 where nothing is trained."""
        ...

    @classmethod
    def ready(cls, weights: WeightStore, device: str) -> Self | None:
        """The fusion where it needs no fitting on good parts, else None. Raises MissingWeights."""
        ...


def on_point_grid(rgb: Patches, point: Patches) -> torch.Tensor:
    """The RGB row that covers each point patch: (side * side, C_rgb) float32."""
    return rgb.rows if rgb.layout == point.layout else expand(rgb.rows)


def on_rgb_grid(patches: Patches, rgb: Patches) -> torch.Tensor:
    """The mean of the patches that each RGB patch covers: (side * side, C) float32.

    Raises ValueError for patches on a grid that does not divide into the RGB grid.
    """
    if patches.layout == rgb.layout:
        return patches.rows
    fine, side = patches.layout.side, rgb.layout.side
    if fine is None or side is None or fine % side:
        raise ValueError(f"{patches.layout} do not divide into {rgb.layout}")
    cells = patches.rows.view(side, fine // side, side, fine // side, -1)
    return cells.mean(dim=(1, 3)).flatten(0, 1)
