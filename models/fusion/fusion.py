"""Fusion: RGB and point patches of one part become one fused patch each (paper sec. 3.3).

One class is one fusion: how the fusion is fitted when banks are built, which tensors a version keeps, and how
the fusion comes back from these tensors. `models.fusion.registry` knows all classes by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

import torch

from models.features import Patches
from models.points.alignment import expand
from models.weights.store import WeightStore
from recipes.fusion import FusionTraining


@dataclass(frozen=True)
class FusionTask:
    """What fitting a fusion may use.

    pairs: (rgb, point) patches of the training parts.
    folder: scratch space.
    weights: the store of a network that is trained already.
    training: settings of a network that is trained here.
    device: where the fusion will run.
    progress: called with the steps done, all steps, and the loss.
    """

    pairs: Sequence[tuple[Patches, Patches]]
    folder: Path
    weights: WeightStore
    training: FusionTraining
    device: str
    progress: Callable[[int, int, float], None]


class Fusion(Protocol):
    """One fusion. Point channels come first in a fused patch, as in the published code."""

    def __call__(self, rgb: Patches, point: Patches) -> Patches:
        """Fused patches on the point grid: (side * side, C_point + C_rgb) float32."""
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
    def placeholder(cls, rgb_width: int, point_width: int, device: str) -> Self:
        """A fusion of the same size and speed as a fitted one, for a plan. Its patches mean nothing."""
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
