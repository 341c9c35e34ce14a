"""Gaussians by the Cholesky factors of their covariances, as published: d x d numbers a place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from banks.methods.padim.gaussians import Rows, pieces


@dataclass(frozen=True)
class Factors:
    """See `banks.methods.padim.gaussians.Gaussians`.

    mean: (P, d) float64.
    factor: (P, d, d) float32, upper triangular: the covariance with its regulariser is the product of the
        transposed factor and the factor (Cholesky).
    """

    mean: torch.Tensor
    factor: torch.Tensor

    @classmethod
    def fit(
        cls,
        rows: Rows,
        shape: tuple[int, int, int],
        regulariser: float,
        progress: Callable[[int, int], None],
    ) -> Factors:
        """Fit the Gaussians, some places after the others, so that memory holds few rows at once.

        rows: of the training parts. shape: parts, P and d.
        regulariser: is added to every variance. The covariance counts one part less than there are, as
            published; that of a single part is the regulariser alone.
        progress: called with the places that are done, and P.
        """
        parts, places, width = shape
        mean = torch.empty((places, width), dtype=torch.float64)
        factor = torch.empty((places, width, width), dtype=torch.float32)
        for some in pieces(places, 8 * (2 * parts * width + 3 * width * width)):
            seen = rows(some)
            mean[some] = seen.mean(dim=0)
            deviations = (seen - mean[some]).transpose(0, 1)
            covariance = deviations.mT @ deviations / max(1, parts - 1)
            factor[some] = _factor(covariance, regulariser)
            progress(some.stop, places)
        return cls(mean, factor)

    def to(self, device: str) -> Factors:
        """The same on a device."""
        return Factors(self.mean.to(device), self.factor.to(device))

    def distances(self, rows: torch.Tensor) -> torch.Tensor:
        """By a triangular solve."""
        deviations = (rows - self.mean).float()
        solved = torch.linalg.solve_triangular(self.factor.mT, deviations[..., None], upper=False)
        return torch.linalg.vector_norm(solved[..., 0], dim=1)

    def without(self, rows: torch.Tensor, parts: int, regulariser: float) -> Factors:
        """Exact up to the rounding of the factors to float32."""
        deviation = (rows - self.mean).double()
        factor = torch.empty_like(self.factor)
        width = factor.shape[1]
        for some in pieces(len(factor), 8 * 4 * width * width):
            covariance = self.factor[some].double()
            covariance = covariance.mT @ covariance
            covariance.diagonal(dim1=1, dim2=2).sub_(regulariser)
            own = deviation[some, :, None] * deviation[some, None, :]
            scatter = (parts - 1) * covariance - parts / (parts - 1) * own
            factor[some] = _factor(scatter / max(1, parts - 2), regulariser)
        return Factors(self.mean - deviation / (parts - 1), factor)

    def tensors(self) -> dict[str, torch.Tensor]:
        """The fields."""
        return {"mean": self.mean, "factor": self.factor}


def _factor(covariance: torch.Tensor, regulariser: float) -> torch.Tensor:
    """(m, d, d) float64: the upper Cholesky factors of covariances, after the regulariser is added in place.

    A covariance that was computed from rounded factors may not be positive. It gets as much more on its
    diagonal as the rounding can be.
    """
    diagonal = covariance.diagonal(dim1=1, dim2=2)
    diagonal.add_(regulariser)
    factor, failed = torch.linalg.cholesky_ex(covariance, upper=True)
    if bool(failed.any()):
        bad = failed > 0
        diagonal.add_(torch.finfo(torch.float32).eps * diagonal.sum(dim=1, keepdim=True).abs())
        factor[bad] = torch.linalg.cholesky(covariance[bad], upper=True)
    return factor
