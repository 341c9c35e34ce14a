"""Rank all pixels of a test set once, so that each pixel metric is a short sum over the ranking."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.regions import label_regions

PixelScores = NDArray[np.floating]
"""float32 or float64 scores. float64 is used if float32 could make two different scores equal."""


@dataclass(frozen=True, slots=True)
class PixelRanking:
    """The pixels of a whole test set. A higher score is more anomalous.

    Attributes:
        good: (G,) float32 or float64, ascending: scores of all pixels outside the defects, in all parts.
        defect: (D,) same dtype, ascending: scores of all pixels of the defects.
        region_weight: (D,) float64, sums to 1. Every region has the same weight, and every pixel of a region.
            A region is an 8-connected component of a mask.
        above: (D,) int64, number of good pixels that score higher.
        at_least: (D,) int64, number of good pixels that score as high or higher.
        regions: number of regions.
    """

    good: PixelScores
    defect: PixelScores
    region_weight: NDArray[np.float64]
    above: NDArray[np.int64]
    at_least: NDArray[np.int64]
    regions: int

    def area(self, weight: NDArray[np.float64] | float, limit: float) -> float:
        """Area under the weighted share of found defect pixels over the false-positive rate, up to a limit.

        weight: (D,) or one number, the weight of each defect pixel; should sum to 1. limit: in (0, 1].

        The area is exact. Every distinct score is a threshold, and a tie of good and defect pixels is a
        straight line (as in scikit-learn's roc_auc_score). So each defect pixel adds a ramp: it begins at the
        share of good pixels with a higher score, and ends at the share with an equal or higher score.
        """
        start = self.above / self.good.size
        stop = self.at_least / self.good.size
        done = np.minimum(stop, limit)
        share = np.divide(done - start, stop - start, out=np.zeros_like(start), where=stop > start)
        ramp = 0.5 * share * (done - start) + (limit - done)
        return float(np.sum(weight * np.where(start < limit, ramp, 0.0)))


def rank_pixels(pairs: Iterable[tuple[ArrayLike, ArrayLike]]) -> PixelRanking:
    """Rank all pixels of (map, mask) pairs.

    pairs: map (H, W) real and finite; mask (H, W) bool or number, not 0 = defect. Sizes may differ between
    pairs. Pairs are read once, one at a time. Memory is one score per pixel (4 bytes for float32 maps), and
    memory for sorting. Raises ValueError if a map and its mask differ in size, if a map has NaN or infinity,
    or if there is no defect pixel or no good pixel.
    """
    good: list[PixelScores] = []
    defect: list[PixelScores] = []
    weight: list[NDArray[np.float64]] = []
    regions = 0
    for index, (scores, mask) in enumerate(pairs):
        score_map, is_defect = _checked(index, scores, mask)
        if is_defect.any():
            region = label_regions(is_defect)[0][is_defect]
            pixels = np.bincount(region)
            weight.append(1.0 / pixels[region])
            defect.append(score_map[is_defect])
            good.append(score_map[~is_defect])
            regions += pixels.size - 1  # label 0 is the good pixels
        else:
            good.append(score_map.ravel())
    if not regions:
        raise ValueError("no mask shows a defect: pixel metrics need at least one defect pixel")
    return _ranking(_joined(good), _joined(defect), np.concatenate(weight) / regions, regions)


def _ranking(
    good: PixelScores, defect: PixelScores, weight: NDArray[np.float64], regions: int
) -> PixelRanking:
    if not good.size:
        raise ValueError("every pixel is marked as a defect: pixel metrics need good pixels too")
    good.sort()
    order = np.argsort(defect)
    defect = defect[order]
    return PixelRanking(
        good=good,
        defect=defect,
        region_weight=weight[order],
        above=good.size - np.searchsorted(good, defect, side="right"),
        at_least=good.size - np.searchsorted(good, defect, side="left"),
        regions=regions,
    )


def _checked(index: int, scores: ArrayLike, mask: ArrayLike) -> tuple[PixelScores, NDArray[np.bool_]]:
    score_map = np.asarray(scores)
    is_defect = np.asarray(mask) != 0
    if score_map.ndim != 2 or score_map.shape != is_defect.shape:
        raise ValueError(
            f"map {index} is {_size(score_map)} and its mask is {_size(is_defect)}, but both must be H x W "
            "and have the same size"
        )
    # float32 represents uint8 and float16 exactly; only float64 represents int32 exactly.
    score_map = score_map.astype(np.result_type(score_map.dtype, np.float32), copy=False)
    bad = score_map.size - int(np.count_nonzero(np.isfinite(score_map)))
    if bad:
        raise ValueError(f"map {index} has {bad} pixels that are NaN or infinite, but all must be finite")
    return score_map, is_defect


def _joined(parts: list[PixelScores]) -> PixelScores:
    """All parts in one new array, in any order. Each part is freed after its copy, which halves the peak
    memory."""
    joined = np.empty(sum(part.size for part in parts), np.result_type(*parts) if parts else np.float32)
    end = joined.size
    while parts:
        part = parts.pop()
        joined[end - part.size : end] = part
        end -= part.size
    return joined


def _size(array: NDArray) -> str:
    return " x ".join(map(str, array.shape)) or "a single number"
