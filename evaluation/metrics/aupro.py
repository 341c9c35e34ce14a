"""AUPRO: the share of each defect region that is found, averaged over regions, at low false-positive rates.

PRO(t) is the share of a region's pixels that score above t, averaged over all regions (8-connected
components) of the test set. FPR(t) is the share of good pixels that score above t. AUPRO at a limit is the
area under PRO over FPR from 0 to the limit, divided by the limit.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evaluation.metrics.pixel_ranking import PixelRanking

LIMITS = (0.3, 0.1, 0.05, 0.01)
"""The false-positive rates that papers report."""

MVTEC_THRESHOLDS = 100
"""Number of thresholds in the published evaluation code. Later papers (CFM) use 99."""


def aupro(ranking: PixelRanking, limit: float, thresholds: int = MVTEC_THRESHOLDS) -> float:
    """AUPRO as MVTec's evaluation code defines it, for comparison with published numbers.

    The curve is sampled at `thresholds` evenly spaced ranks of the good pixels (for 100, a step of 0.0101 in
    FPR). The point (1, 1) is added, and the point at the limit is interpolated. At a limit of 0.01, the curve
    has a single sample, so `aupro_exact` is more reliable. Raises ValueError for a limit outside (0, 1].
    """
    _check(limit)
    rate, overlap = _sampled(ranking, np.linspace(0, ranking.good.size - 1, num=thresholds, dtype=int))
    rate, overlap = np.append(rate, 1.0), np.append(overlap, 1.0)
    inside = rate <= limit
    end = np.interp(limit, rate, overlap)
    return float(np.trapezoid(np.append(overlap[inside], end), np.append(rate[inside], limit)) / limit)


def aupro_exact(ranking: PixelRanking, limit: float) -> float:
    """AUPRO with every distinct score as a threshold, integrated exactly.

    The curve runs from (0, 0) to (1, 1) through the point of every threshold. Good pixels and defect pixels
    with the same score enter together, as a straight line. Raises ValueError for a limit outside (0, 1].
    """
    _check(limit)
    return ranking.area(ranking.region_weight, limit) / limit


def pro_curve(
    ranking: PixelRanking, limit: float = 1.0, points: int = 500
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The PRO curve for a plot: FPR and PRO, each (points,) float64 ascending, from FPR 0 to the limit."""
    _check(limit)
    last = ranking.good.size - 1
    return _sampled(ranking, np.linspace(last - int(limit * last), last, num=points, dtype=int))


def _sampled(
    ranking: PixelRanking, ranks: NDArray[np.int_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """FPR and PRO at the scores of the good pixels with these ascending ranks. The result ascends in FPR."""
    missed = np.concatenate([[0.0], np.cumsum(ranking.region_weight)])
    overlap = 1.0 - missed[np.searchsorted(ranking.defect, ranking.good[ranks], side="right")]
    return (1.0 - (ranks + 1) / ranking.good.size)[::-1], np.maximum(overlap, 0.0)[::-1]


def _check(limit: float) -> None:
    if not 0.0 < limit <= 1.0:
        raise ValueError(f"an AUPRO limit must be a false-positive rate above 0 and at most 1, not {limit}")
