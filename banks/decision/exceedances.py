"""The upper tail of good parts' scores: a generalised Pareto distribution of what exceeds a high score.

Peaks over threshold (Pickands 1975): above a high enough score u, P(score > u + y) falls as
(1 + shape y / scale)^(-1 / shape) for any usual distribution; as exp(-y / scale) for shape 0. A few dozen
scores tell the scale, and almost nothing about the shape. So the shape has a prior around 0 (the tail of
normal, Gumbel, exponential and log-normal scores), and probabilities are means over the posterior: few
scores give a wide tail by themselves.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_SHAPES = np.linspace(-0.25, 0.25, 9)
_SHAPE_SPREAD = 0.1
"""Standard deviation of the shape's prior, chosen by simulation."""
_SCALES = np.exp(np.linspace(-2.5, 3.0, 45))
"""Scales that are weighed, as shares of the mean exceedance."""
_USUAL_SCALE, _SCALE_SPREAD = 0.2, 1.5
"""A usual scale as a share of the mean score, and the spread of its logarithm: what speaks where two or three
scores are all there is."""
_LEAST_SCALE = 0.01
"""As a share of the mean score, so that equal scores still have a tail."""
_STEPS = 60


@dataclass(frozen=True, slots=True)
class Exceedances:
    """The tail above `start`, which one further good part exceeds with probability `share`.

    shapes, scales, weights: (m,) float64, the posterior: pairs of shape and scale, and how likely each is.
    """

    start: float
    share: float
    shapes: NDArray[np.float64]
    scales: NDArray[np.float64]
    weights: NDArray[np.float64]

    @classmethod
    def fit(cls, ordered: Sequence[float] | NDArray[np.float64], trimmed: int = 0) -> Exceedances:
        """The tail of ascending scores of n good parts.

        trimmed: the highest scores, of which only their number counts, not how high they are (type II
            censoring): a few parts that are not good then change next to nothing.
        The scores above `start` are the upper third, at least 20 of them or half of all, and at least 5 or
        all but one. Raises ValueError if there is no score, one is not finite, or `trimmed` leaves none.
        """
        values = np.asarray(ordered, np.float64)
        count = len(values) - trimmed
        if count < 1 or not np.isfinite(values).all():
            raise ValueError("a tail needs at least one score, and finite scores")
        above = max(5, min(math.ceil(len(values) / 2), max(20, math.ceil(len(values) / 3))))
        seen = min(max(above - trimmed, 1), count - 1)
        start = float(values[count - seen - 1])
        over = values[count - seen : count] - start
        unit = max(float(np.abs(values[:count]).mean()), 1e-12)
        shapes, scales, weights = _posterior(over, trimmed, unit)
        share = (seen + trimmed + 1) / (len(values) + 1)
        return cls(start, share, shapes, scales, weights)

    def survival(self, score: float) -> float:
        """The probability that one further good part scores above `score`; `share` at most."""
        over = max(score - self.start, 0.0)
        return self.share * float(self.weights @ np.exp(_log_survival(over, self.shapes, self.scales)))

    def limit(self, rate: float) -> float:
        """The score that a further good part exceeds with probability `rate`; `start` at least."""
        low, high = 0.0, float(self.scales.max())
        while self.survival(self.start + high) > rate:
            low, high = high, 2 * high
        for _ in range(_STEPS):
            middle = (low + high) / 2
            if self.survival(self.start + middle) > rate:
                low = middle
            else:
                high = middle
        return self.start + high


def _posterior(
    over: NDArray[np.float64], trimmed: int, unit: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Shapes, scales and weights, (m,) each.

    over: (k,) ascending exceedances. trimmed: further ones, above the highest of them. unit: the mean score.
    """
    farthest = over[-1] if len(over) else 0.0
    mean = (over.sum() + trimmed * farthest) / max(len(over), 1)
    grid = np.maximum(_SCALES * max(mean, _LEAST_SCALE * unit), _LEAST_SCALE * unit)
    shapes, scales = (axis.ravel() for axis in np.meshgrid(_SHAPES, grid, indexing="ij"))
    # density of an exceedance: survival^(1 + shape) / scale
    logs = _log_survival(over[:, None], shapes, scales)
    fits = ((1 + shapes) * logs).sum(axis=0) - len(over) * np.log(scales)
    if trimmed:
        fits += trimmed * _log_survival(farthest, shapes, scales)
    fits -= (shapes / _SHAPE_SPREAD) ** 2 / 2
    fits -= (np.log(scales / (_USUAL_SCALE * unit)) / _SCALE_SPREAD) ** 2 / 2
    weights = np.exp(fits - fits.max())
    return shapes, scales, weights / weights.sum()


def _log_survival(
    over: float | NDArray[np.float64], shapes: NDArray[np.float64], scales: NDArray[np.float64]
) -> NDArray[np.float64]:
    """log P(exceedance > over), -inf beyond the end of a tail with a negative shape."""
    ratio = over / scales
    inside = np.maximum(1 + shapes * ratio, 0.0)
    bent = np.where(shapes == 0, 1.0, shapes)
    with np.errstate(divide="ignore"):
        return np.where(shapes == 0, -ratio, -np.log(inside) / bent)
