"""Settings of the fusion of RGB and point patches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MOST_SEED = 2**32 - 1
"""Largest seed that every library takes."""

FusionKind = Literal["concat", "scaled_concat", "uff", "uff_trained"]


@dataclass(frozen=True, slots=True)
class FusionTraining:
    """Settings of a training run (paper: 750 steps of 16 parts, rate 0.003 after 250 steps of warm-up).

    Attributes:
        steps: number of training steps.
        warm_up: steps in which the learning rate rises.
        batch: parts per step; all their patches are contrasted. Fewer training parts make one batch.
        rate: learning rate after the warm-up.
        decay, betas: of AdamW, from the published code.
        temperature: of the loss; 1 in the published code.
        seed: of the initial weights and the order of parts.
        checkpoint_every: steps between checkpoints.

    Raises ValueError for impossible numbers.
    """

    steps: int = 750
    warm_up: int = 250
    batch: int = 16
    rate: float = 0.003
    decay: float = 0.01
    betas: tuple[float, float] = (0.9, 0.95)
    temperature: float = 1.0
    seed: int = 0
    checkpoint_every: int = 50

    def __post_init__(self) -> None:
        if min(self.steps, self.batch, self.checkpoint_every) < 1:
            raise ValueError("steps, batch and checkpoint_every of the training must be at least 1")
        if min(self.warm_up, self.seed) < 0 or not self.decay >= 0:
            raise ValueError("warm_up, seed and decay of the training must not be negative")
        if self.seed > MOST_SEED:
            raise ValueError(f"seed of the training must be at most {MOST_SEED}")
        if not min(self.rate, self.temperature) > 0:
            raise ValueError("rate and temperature of the training must be above 0")
        if not all(0 <= beta < 1 for beta in self.betas):
            raise ValueError("both betas of the training must be at least 0 and below 1")
