"""One Gaussian of good patches at each place (PaDiM, ICPR 2021): what every form of its covariance can do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Protocol, Self

import torch

_PIECE = 1 << 26  # bytes of float64 that are worked on at once

Rows = Callable[[slice], torch.Tensor]
"""The training rows of some places, (parts, places, d) float64."""


class Gaussians(Protocol):
    """The Gaussians of P places over d channels."""

    def to(self, device: str) -> Self:
        """The same on a device."""
        ...

    def distances(self, rows: torch.Tensor) -> torch.Tensor:
        """(P,) float32: the Mahalanobis distance of each row from the Gaussian of its place.

        rows: (P, d) float32, on the same device.
        """
        ...

    def without(self, rows: torch.Tensor, parts: int, regulariser: float) -> Self:
        """The Gaussians as if they had been fitted without one training part.

        rows: (P, d) float32 of that part. parts: training parts, that one included, at least 2.
        regulariser: of the fit.
        """
        ...

    def tensors(self) -> Mapping[str, torch.Tensor]:
        """What a version keeps, by name."""
        ...


def pieces(places: int, bytes_each: int) -> Iterator[slice]:
    """The places, so many at once that they take about `_PIECE` bytes."""
    step = max(1, _PIECE // bytes_each)
    for start in range(0, places, step):
        yield slice(start, min(start + step, places))
