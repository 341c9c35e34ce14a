"""Gaussians by the principal axes of their covariances: a few directions of d numbers a place.

n parts spread in n - 1 directions at most. Outside of these the covariance is the regulariser alone. So n - 1
axes say the same as the whole covariance, and take less memory than its factor where n is below d. Fewer axes
take less again and are no longer exact.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from banks.methods.padim.gaussians import Rows, pieces


@dataclass(frozen=True)
class Axes:
    """See `banks.methods.padim.gaussians.Gaussians`.

    mean: (P, d) float64.
    axes: (P, k, d) float32, unit vectors at right angles.
    variance: (P, k) float64 along each axis, with the regulariser.
    rest: (P,) float64: the variance along any other direction: the regulariser, and the mean variance along
        the directions whose axes were not kept.
    """

    mean: torch.Tensor
    axes: torch.Tensor
    variance: torch.Tensor
    rest: torch.Tensor

    @classmethod
    def fit(
        cls,
        rows: Rows,
        shape: tuple[int, int, int],
        most: int,
        regulariser: float,
        progress: Callable[[int, int], None],
    ) -> Axes:
        """Fit the Gaussians, some places after the others.

        most: the largest number of axes. The others are as in `Factors.fit`.
        """
        parts, places, width = shape
        kept = axes_of(parts, width, most)
        mean = torch.empty((places, width), dtype=torch.float64)
        axes = torch.empty((places, kept, width), dtype=torch.float32)
        variance = torch.empty((places, kept), dtype=torch.float64)
        rest = torch.empty(places, dtype=torch.float64)
        for some in pieces(places, 8 * (4 * parts * width + 2 * min(parts, width) * width)):
            seen = rows(some)
            mean[some] = seen.mean(dim=0)
            _, spread, directions = torch.linalg.svd((seen - mean[some]).transpose(0, 1), full_matrices=False)
            variances = spread**2 / max(1, parts - 1)
            variance[some] = variances[:, :kept] + regulariser
            axes[some] = directions[:, :kept].float()
            rest[some] = regulariser + variances[:, kept:].sum(dim=1) / max(1, width - kept)
            progress(some.stop, places)
        return cls(mean, axes, variance, rest)

    def to(self, device: str) -> Axes:
        """The same on a device."""
        return Axes(**{name: tensor.to(device) for name, tensor in self.tensors().items()})

    def distances(self, rows: torch.Tensor) -> torch.Tensor:
        """Along the axes and outside of them. On a CPU row vectors multiply much faster than columns."""
        deviation = (rows - self.mean).float()
        along = torch.bmm(deviation[:, None], self.axes.mT)
        outside = deviation - torch.bmm(along, self.axes)[:, 0]
        squares = (along[:, 0].double() ** 2 / self.variance).sum(dim=1)
        return (squares + (outside.double() ** 2).sum(dim=1) / self.rest).sqrt().float()

    def without(self, rows: torch.Tensor, parts: int, regulariser: float) -> Axes:
        """Exact up to rounding where every direction of the training parts has its axis."""
        deviation = (rows - self.mean).double()
        along = torch.bmm(self.axes.double(), deviation[..., None])
        spread = (parts - 1) * torch.diag_embed(self.variance - regulariser)
        scatter = spread - parts / (parts - 1) * along @ along.mT
        variance, turn = torch.linalg.eigh(scatter / max(1, parts - 2))
        return Axes(
            self.mean - deviation / (parts - 1),
            torch.bmm(turn.mT.float(), self.axes),
            variance.clamp(min=0) + regulariser,
            self.rest,
        )

    def tensors(self) -> dict[str, torch.Tensor]:
        """The fields."""
        return {"mean": self.mean, "axes": self.axes, "variance": self.variance, "rest": self.rest}


def axes_of(parts: int, width: int, most: int) -> int:
    """How many axes are kept of so many parts and channels."""
    return max(1, min(most, parts - 1, width))
