"""Fusion: RGB and point patches of one part become one fused patch each (paper sec. 3.3).

Every fusion is fitted once on training patches (or loaded), has named tensors to keep, and maps the two
grids of one part to the fused grid. Point channels come first, as in the published code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch

from models.features import Patches
from models.fusion.uff import FusionNetwork, Uff
from models.fusion.uff_training import Pair, train_uff
from models.points.alignment import expand
from models.weights.store import WeightStore
from recipes.fusion import FusionKind, FusionTraining


class Fusion(Protocol):
    """What the detector and the builder need of a fusion."""

    def __call__(self, rgb: Patches, point: Patches) -> Patches:
        """Fused patches on the point grid: (side * side, C_point + C_rgb) float32."""
        ...

    def state(self) -> dict[str, torch.Tensor]:
        """The tensors to keep in fusion.safetensors; empty if there is nothing to keep."""
        ...


def _on_point_grid(rgb: Patches, point: Patches) -> torch.Tensor:
    return rgb.rows if rgb.layout == point.layout else expand(rgb.rows)


@dataclass(frozen=True)
class Concat:
    """Plain concatenation (supplement Table II, "w/o UFF")."""

    def __call__(self, rgb: Patches, point: Patches) -> Patches:
        """Fused patches; see `Fusion`."""
        return Patches(torch.cat([point.rows, _on_point_grid(rgb, point)], dim=1), point.layout)

    def state(self) -> dict[str, torch.Tensor]:
        """Nothing to keep."""
        return {}


@dataclass(frozen=True)
class ScaledConcat:
    """Concatenation in which both modalities weigh the same (ours).

    Each modality is divided by the root of its summed channel variances over the training patches, so both
    halves of a fused distance have the same mean square between two random patches. One factor a modality:
    a factor a channel would blow up channels that hardly ever move.
    point_scale, rgb_scale: () float32 factors.
    """

    point_scale: torch.Tensor
    rgb_scale: torch.Tensor

    def __call__(self, rgb: Patches, point: Patches) -> Patches:
        """Fused patches; see `Fusion`."""
        scaled_rgb = Patches(rgb.rows * self.rgb_scale, rgb.layout)
        rows = torch.cat([point.rows * self.point_scale, _on_point_grid(scaled_rgb, point)], dim=1)
        return Patches(rows, point.layout)

    def state(self) -> dict[str, torch.Tensor]:
        """Both scales."""
        return {"point_scale": self.point_scale, "rgb_scale": self.rgb_scale}

    @classmethod
    def from_state(cls, state: Mapping[str, torch.Tensor]) -> ScaledConcat:
        """The inverse of `state`."""
        return cls(point_scale=state["point_scale"], rgb_scale=state["rgb_scale"])

    @classmethod
    def fit(cls, pairs: Iterable[tuple[Patches, Patches]]) -> ScaledConcat:
        """Fit on (rgb, point) grids of training parts, one pass, sums in float64."""
        rgb, point = _Spread(), _Spread()
        for rgb_grid, point_grid in pairs:
            rgb.add(rgb_grid.rows)
            point.add(point_grid.rows)
        return cls(point_scale=point.scale(), rgb_scale=rgb.scale())


class _Spread:
    """Running sum of channel variances."""

    def __init__(self) -> None:
        self._count = 0
        self._sum = torch.zeros(1, dtype=torch.float64)
        self._squares = torch.zeros(1, dtype=torch.float64)

    def add(self, rows: torch.Tensor) -> None:
        wide = rows.double().cpu()
        self._count += len(wide)
        self._sum = self._sum + wide.sum(dim=0)
        self._squares = self._squares + wide.square().sum(dim=0)

    def scale(self) -> torch.Tensor:
        """1 / root of the summed variances; 1 where nothing varies."""
        mean = self._sum / self._count
        variance = float((self._squares / self._count - mean.square()).clamp_min(0).sum())
        return torch.tensor(variance**-0.5 if variance > 0 else 1.0, dtype=torch.float32)


@dataclass(frozen=True)
class FusionTask:
    """What fitting a fusion may use.

    pairs: (rgb, point) grids of the training parts. folder: scratch space. weights: the store of a ready
    network. training: settings of one trained here. progress: steps done, all, and the loss.
    """

    pairs: Sequence[tuple[Patches, Patches]]
    folder: Path
    weights: WeightStore
    training: FusionTraining
    device: str
    progress: Callable[[int, int, float], None]


def _train(task: FusionTask) -> Uff:
    rows = _RowPairs(task.pairs)
    weights = train_uff(rows, task.training, task.folder, task.progress, device=task.device)
    return Uff.from_state(weights, task.device)


class _RowPairs(Sequence[Pair]):
    """The pairs as `train_uff` wants them: rows without their grids."""

    def __init__(self, pairs: Sequence[tuple[Patches, Patches]]) -> None:
        self._pairs = pairs

    def __len__(self) -> int:
        return len(self._pairs)

    def __getitem__(self, index: Any) -> Any:
        rgb, point = self._pairs[index]
        return rgb.rows, point.rows


_READY: Mapping[FusionKind, Callable[[WeightStore, str], Fusion]] = {
    "concat": lambda weights, device: Concat(),
    "uff": lambda weights, device: Uff.from_state(weights.load("uff"), device),
}


FITS: Mapping[FusionKind, Callable[[FusionTask], Fusion]] = {
    "concat": lambda task: _READY["concat"](task.weights, task.device),
    "scaled_concat": lambda task: ScaledConcat.fit(task.pairs),
    "uff": lambda task: _READY["uff"](task.weights, task.device),
    "uff_trained": _train,
}
"""How the fusion of each name comes to be when banks are built."""

LOADERS: Mapping[FusionKind, Callable[[Mapping[str, torch.Tensor], str], Fusion]] = {
    "concat": lambda state, device: Concat(),
    "scaled_concat": lambda state, device: ScaledConcat.from_state(state),
    "uff": Uff.from_state,
    "uff_trained": Uff.from_state,
}
"""How it comes back from its kept tensors."""


def stand_in(kind: FusionKind, rgb_width: int, point_width: int, device: str) -> Fusion:
    """A fusion as wide and as slow as one that is fitted later; what it says means nothing."""
    if kind == "concat":
        return Concat()
    if kind == "scaled_concat":
        return ScaledConcat(torch.ones(()), torch.ones(()))
    return Uff.from_state(FusionNetwork(rgb_width, point_width).state_dict(), device)


def ready_fusion(kind: FusionKind | None, weights: WeightStore, device: str) -> Fusion | None:
    """The fusion of this name if it needs no fitting on good parts, else None."""
    ready = _READY.get(kind) if kind else None
    return ready(weights, device) if ready else None
