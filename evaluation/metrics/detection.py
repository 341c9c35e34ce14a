"""Metrics of scores of parts and of maps of pixels.

A higher score is more anomalous. A part is rejected if its score is *above* the threshold. Labels other than
0 are defective parts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evaluation.metrics.aupro import LIMITS, aupro, aupro_exact
from evaluation.metrics.pixel_ranking import PixelRanking, rank_pixels

FALSE_REJECT_RATES = (0.0, 0.01, 0.05)
"""Shares of rejected good parts at which recall is reported."""


@dataclass(frozen=True, slots=True)
class PixelMetrics:
    """Metrics of maps.

    Attributes:
        pixel_auroc: area under the ROC curve of all pixels of all parts.
        aupro, aupro_exact: by limit, see `evaluation.metrics.aupro`.
        regions: number of defect regions over which AUPRO is averaged.
    """

    pixel_auroc: float
    aupro: dict[float, float]
    aupro_exact: dict[float, float]
    regions: int


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """The result of one threshold on a test set, in parts.

    Attributes:
        threshold: parts with a score above it are rejected.
        found: rejected parts among the `defects` defective parts.
        false_rejects: rejected parts among the `goods` good parts.
    """

    threshold: float
    found: int
    defects: int
    false_rejects: int
    goods: int

    @property
    def recall(self) -> float:
        """Share of defective parts rejected."""
        return self.found / self.defects

    @property
    def precision(self) -> float:
        """Share of rejected parts that are defective; 0 if none is rejected."""
        return self.found / max(self.found + self.false_rejects, 1)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return 2 * self.found / (self.found + self.false_rejects + self.defects)


def pixel_metrics(
    pairs: Iterable[tuple[ArrayLike, ArrayLike]], limits: Sequence[float] = LIMITS
) -> PixelMetrics:
    """All pixel metrics of (map, mask) pairs. Arguments and errors are those of `rank_pixels` and `aupro`."""
    ranking = rank_pixels(pairs)
    return PixelMetrics(
        pixel_auroc=pixel_auroc(ranking),
        aupro={limit: aupro(ranking, limit) for limit in limits},
        aupro_exact={limit: aupro_exact(ranking, limit) for limit in limits},
        regions=ranking.regions,
    )


def pixel_auroc(ranking: PixelRanking) -> float:
    """Area under the ROC curve over all pixels; background and good parts count as good pixels."""
    return ranking.area(1.0 / ranking.defect.size, 1.0)


def image_auroc(scores: ArrayLike, labels: ArrayLike) -> float:
    """Probability that a defective part scores higher than a good part. A tie counts half.

    scores: (N,) finite. labels: (N,), not 0 = defective. Raises ValueError if good or defective parts are
        missing.
    """
    good, defect = _split(scores, labels)
    beaten = np.searchsorted(good, defect, side="left") + np.searchsorted(good, defect, side="right")
    return float(beaten.sum() / (2 * good.size * defect.size))


def best_f1(scores: ArrayLike, labels: ArrayLike) -> OperatingPoint:
    """The threshold with the highest F1. Of equal thresholds, the highest is returned.

    The threshold lies in the middle between the scores of two parts. It is chosen on the test parts, so it
    shows the best possible result, not the expected result. Arguments and errors are those of `image_auroc`.
    """
    good, defect = _split(scores, labels)
    threshold = _between(np.unique(np.concatenate([good, defect])))
    found = defect.size - np.searchsorted(defect, threshold, side="right")
    rejected = good.size - np.searchsorted(good, threshold, side="right")
    f1 = 2 * found / (found + rejected + defect.size)
    best = f1.size - 1 - int(np.argmax(f1[::-1]))
    return operating_point(scores, labels, float(threshold[best]))


def recall_at(scores: ArrayLike, labels: ArrayLike, false_reject_rate: float) -> OperatingPoint:
    """The lowest threshold that rejects at most this share of the good parts.

    Of n good parts, at most floor(rate * n) are rejected, so a rate below 1 / n rejects none. Arguments and
    errors are those of `image_auroc`. Also raises ValueError for a rate outside [0, 1).
    """
    if not 0.0 <= false_reject_rate < 1.0:
        raise ValueError(f"a false-reject rate must be at least 0 and below 1, not {false_reject_rate}")
    good, _ = _split(scores, labels)
    allowed = int(np.floor(false_reject_rate * good.size + 1e-9))  # 0.29 * 100 is 28.999999999999996
    return operating_point(scores, labels, float(good[max(good.size - 1 - allowed, 0)]))


def operating_point(scores: ArrayLike, labels: ArrayLike, threshold: float) -> OperatingPoint:
    """The result of this threshold. Arguments and errors are those of `image_auroc`."""
    good, defect = _split(scores, labels)
    return OperatingPoint(
        threshold=threshold,
        found=int(np.count_nonzero(defect > threshold)),
        defects=defect.size,
        false_rejects=int(np.count_nonzero(good > threshold)),
        goods=good.size,
    )


def roc_curve(
    scores: ArrayLike, labels: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """The ROC curve of parts: false-reject rate, recall and threshold, each (n,) float64.

    The curve ascends in rate from (0, 0) to (1, 1) with one point per distinct score. Arguments and errors
    are those of `image_auroc`.
    """
    good, defect = _split(scores, labels)
    distinct = np.unique(np.concatenate([good, defect]))
    threshold = np.concatenate([[np.nextafter(distinct[0], -np.inf)], distinct])[::-1]
    rate = 1.0 - np.searchsorted(good, threshold, side="right") / good.size
    recall = 1.0 - np.searchsorted(defect, threshold, side="right") / defect.size
    return rate, recall, threshold


def _split(scores: ArrayLike, labels: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Scores of good parts and of defective parts, each (n,) float64 ascending. Raises ValueError."""
    score = np.asarray(scores, np.float64)
    is_defect = np.asarray(labels) != 0
    if score.ndim != 1 or score.shape != is_defect.shape:
        raise ValueError(
            f"there are {score.size} scores for {is_defect.size} labels: give one score per label"
        )
    if not np.isfinite(score).all():
        raise ValueError(f"part {int(np.argmin(np.isfinite(score)))} has a score that is NaN or infinite")
    if is_defect.all() or not is_defect.any():
        missing = "good" if is_defect.any() else "defective"
        raise ValueError(f"there is no {missing} part among the {score.size}: both kinds are needed")
    return np.sort(score[~is_defect]), np.sort(score[is_defect])


def _between(distinct: NDArray[np.float64]) -> NDArray[np.float64]:
    """One threshold below all scores, then one threshold between each two neighbouring scores; ascending."""
    low, high = distinct[:-1], distinct[1:]
    middle = low / 2 + high / 2
    middle = np.where((low < middle) & (middle < high), middle, low)  # no number may lie between neighbours
    return np.concatenate([[np.nextafter(distinct[0], -np.inf)], middle])
