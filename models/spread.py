"""How much patches vary."""

from __future__ import annotations

import torch


class Spread:
    """Running sum of channel variances, in float64."""

    def __init__(self) -> None:
        self._count = 0
        self._sum = torch.zeros(1, dtype=torch.float64)
        self._squares = torch.zeros(1, dtype=torch.float64)

    def add(self, rows: torch.Tensor) -> None:
        """Add patches: (n, C) rows of one kind."""
        wide = rows.double().cpu()
        self._count += len(wide)
        self._sum = self._sum + wide.sum(dim=0)
        self._squares = self._squares + wide.square().sum(dim=0)

    @property
    def root(self) -> float:
        """The root of the summed channel variances; 0 where nothing varies or was added."""
        if not self._count:
            return 0.0
        mean = self._sum / self._count
        return float((self._squares / self._count - mean.square()).clamp_min(0).sum()) ** 0.5
