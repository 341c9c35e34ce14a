"""Fusion by a network that is trained on the training parts of the banks themselves (paper sec. 3.3)."""

from __future__ import annotations

import torch

from models.fusion.fusion import FusionTask
from models.fusion.uff import Uff
from models.fusion.uff_training import Pair, train_uff, training_seconds
from models.lazy_sequence import LazySequence
from models.weights.store import WeightStore


class TrainedUff(Uff):
    """A fusion network of one product; see `models.fusion.fusion.Fusion`."""

    @classmethod
    def fit(cls, task: FusionTask) -> TrainedUff:
        """Train the network. Raises ValueError as `train_uff` does."""

        def rows(part: int) -> Pair:
            rgb, point = task.pairs[part]
            return rgb.rows, point.rows

        pairs = LazySequence(len(task.pairs), rows)
        weights = train_uff(pairs, task.training, task.folder, task.progress, device=task.device)
        return cls.from_state(weights, task.device)

    @classmethod
    def training_s(cls, task: FusionTask) -> float:
        """Timed on the first pair in place of all."""
        rgb, point = task.pairs[0]
        pair = (rgb.rows, point.rows)
        return training_seconds(pair, len(task.pairs), task.training, task.device)

    @classmethod
    def ready(cls, weights: WeightStore, device: torch.device | str) -> None:
        """The network is trained on the training parts."""
        return None
