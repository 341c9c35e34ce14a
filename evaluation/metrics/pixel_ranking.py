"""Every pixel of a test set ranked once, so that each pixel metric is one short sum over the ranking."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

Scores = NDArray[np.floating]
"""float32 or float64 scores; float64 wherever float32 could merge two different scores."""


@dataclass(frozen=True, slots=True)
class PixelRanking:
    """The pixels of a whole test set, higher score = more anomalous.

    good: (G,) float32 or float64, ascending: all pixels outside the defects, those of good parts included.
    defect: (D,) same dtype, ascending: all pixels of the defects.
    region_weight: (D,) float64, sums to 1: every region weighs the same, every pixel of it the same.
        A region is one 8-connected component of one mask.
    above, at_least: (D,) int64, how many good pixels score strictly higher / as high or higher.
    regions: number of regions.
    """

    good: Scores
    defect: Scores
    region_weight: NDArray[np.float64]
    above: NDArray[np.int64]
    at_least: NDArray[np.int64]
    regions: int

    def area(self, weight: NDArray[np.float64] | float, limit: float) -> float:
        """Area under the curve (false-positive rate, weighted share of defect pixels found), up to a rate.

        weight: (D,) or one number, the weight of each defect pixel; should sum to 1. limit: in (0, 1].
        Exact: every distinct score is a threshold, a tie between good and defect pixels is a straight line
        (as in scikit-learn's roc_auc_score). A defect pixel is thus a ramp that begins when the first
        better good pixels are all let through, and ends with those equal to it; the area is the sum of ramps.
        """
        start = self.above / self.good.size
        stop = self.at_least / self.good.size
        done = np.minimum(stop, limit)
        share = np.divide(done - start, stop - start, out=np.zeros_like(start), where=stop > start)
        ramp = 0.5 * share * (done - start) + (limit - done)
        return float(np.sum(weight * np.where(start < limit, ramp, 0.0)))


def rank_pixels(pairs: Iterable[tuple[ArrayLike, ArrayLike]]) -> PixelRanking:
    """Rank all pixels of (map, mask) pairs.

    pairs: map (H, W) real, finite; mask (H, W) bool or number, non-zero = defect. Sizes may differ from pair
    to pair. Read once, one at a time; memory is one score a pixel (4 bytes for float32 maps) plus the sort's.
    Raises ValueError if a map and its mask differ in size, a map holds NaN or infinity, or the set holds no
    defect pixel or no good pixel.
    """
    good: list[Scores] = []
    defect: list[Scores] = []
    weight: list[NDArray[np.float64]] = []
    regions = 0
    for index, (scores, mask) in enumerate(pairs):
        score_map, is_defect = _checked(index, scores, mask)
        if is_defect.any():
            region = _regions(is_defect)[is_defect]
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


def _ranking(good: Scores, defect: Scores, weight: NDArray[np.float64], regions: int) -> PixelRanking:
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


def _regions(is_defect: NDArray[np.bool_]) -> NDArray[np.int32]:
    """(H, W) region of each pixel, 1, 2, ..., touching at a corner being enough; 0 outside."""
    label = np.empty(is_defect.shape, np.int32)
    ndimage.label(is_defect, structure=np.ones((3, 3), bool), output=label)
    return label


def _checked(index: int, scores: ArrayLike, mask: ArrayLike) -> tuple[Scores, NDArray[np.bool_]]:
    score_map = np.asarray(scores)
    is_defect = np.asarray(mask) != 0
    if score_map.ndim != 2 or score_map.shape != is_defect.shape:
        raise ValueError(
            f"map {index} is {_size(score_map)} and its mask {_size(is_defect)}: "
            "both must be H x W, the same size"
        )
    # uint8 and float16 go into float32 unchanged, int32 only into float64
    score_map = score_map.astype(np.result_type(score_map.dtype, np.float32), copy=False)
    bad = score_map.size - int(np.count_nonzero(np.isfinite(score_map)))
    if bad:
        raise ValueError(f"map {index} holds {bad} pixels that are NaN or infinite: a score must be a number")
    return score_map, is_defect


def _joined(parts: list[Scores]) -> Scores:
    """All parts in one fresh array, in any order; each part is let go once copied, which halves the peak."""
    joined = np.empty(sum(part.size for part in parts), np.result_type(*parts) if parts else np.float32)
    end = joined.size
    while parts:
        part = parts.pop()
        joined[end - part.size : end] = part
        end -= part.size
    return joined


def _size(array: NDArray) -> str:
    return " x ".join(map(str, array.shape)) or "a single number"
