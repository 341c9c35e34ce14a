"""What counts as anomalous: a threshold, a colour scale and a pixel threshold from held-out good parts.

A held-out part is a part whose patches are in no bank. The parts of a bank are no evidence: they score lower
than a new good part.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from statistics import median
from typing import TYPE_CHECKING, Literal

from banks.decision.odd_parts import OddPart

if TYPE_CHECKING:  # whoever only reads a manifest needs neither numpy nor SciPy
    import numpy as np
    from numpy.typing import NDArray

Basis = Literal["counted", "extrapolated", "set"]
"""Where a threshold comes from: "counted" is an order statistic of the held-out scores, "extrapolated" is a
tail fitted to scores that are too few to show the rate, "set" is a person's number."""


_CONFIDENCE = 0.9
"""Of an interval with two ends; 0.95 that the share is not above the upper one."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Thresholds of one bank version. A part is rejected if its score is strictly above `threshold`.

    basis: where the threshold comes from.
    rate: the false-reject rate aimed at, a share of good parts; None where a person set the threshold.
    scores: final scores of the held-out good parts that count, ascending.
    peaks: the highest map values of the same parts, ascending.
    pixel_threshold: a pixel is anomalous if its map value is strictly above this value.
    colours: map values at the two ends of the heatmap scale.
    odd: held-out parts that score far outside the others, the highest first. They do not count.
    calibrated: the threshold before a person moved it; None where nobody did.
    confirmed: parts that were odd, and count because a person called them good.
    """

    threshold: float
    basis: Basis
    rate: float | None
    scores: tuple[float, ...]
    peaks: tuple[float, ...]
    pixel_threshold: float
    colours: tuple[float, float]
    odd: tuple[OddPart, ...] = ()
    calibrated: float | None = None
    confirmed: tuple[OddPart, ...] = ()

    @property
    def count(self) -> int:
        """Held-out good parts."""
        return len(self.scores)

    @property
    def rejected(self) -> int:
        """Held-out good parts that are rejected. An extrapolated threshold depends on every part, so each
        part is judged by the threshold of the other parts."""
        if self.basis == "extrapolated" and self.rate is not None:
            return _left_out_rejects(self.scores, self.rate)
        return sum(score > self.threshold for score in self.scores)

    @property
    def rejected_share(self) -> tuple[float, float]:
        """Which share of further good parts is rejected, with 90 % confidence: from `rejected` of `count`.

        For an order statistic this holds for any distribution (Wilks 1941).
        """
        return share_interval(self.rejected, self.count)

    @property
    def statement(self) -> str:
        """The threshold's evidence in one sentence."""
        said = f"rejects {self.rejected} of {self.count} held-out good parts"
        if self.odd:
            said += f" beside {len(self.odd)} odd ones, which do not count"
        low, high = self.rejected_share
        said += f"; with 95 % confidence at most {100 * high:.2g} % of good parts "
        said += f"(90 % interval {100 * low:.2g} to {100 * high:.2g} %)"
        if self.basis == "extrapolated":
            said += (
                f"; {self.count} parts are too few to count a rate of {self.rate:g}, so the threshold "
                "follows from the tail of their scores, and each part was judged by that of the others"
            )
        return said

    def relative(self, score: float) -> float:
        """The score on a scale that all products share: 0 is the median held-out part, 1 the calibrated
        threshold, whatever threshold is in force."""
        return (score - float(median(self.scores))) / self.reach

    @property
    def reach(self) -> float:
        """Distance from the median held-out part to the calibrated threshold, above 0."""
        return max(self._own - float(median(self.scores)), 1e-6 * abs(self._own), 1e-12)

    def rethreshold(self, rate: float) -> Calibration:
        """The same evidence at another false-reject rate; regions and colours stay. No rebuild is needed."""
        threshold, basis = upper_limit(self.scores, rate)
        return replace(self, threshold=threshold, basis=basis, rate=rate, calibrated=self._own)

    def with_threshold(self, threshold: float) -> Calibration:
        """The same evidence with a threshold set by a person. Raises ValueError unless it is finite."""
        if not math.isfinite(threshold):
            raise ValueError(f"a threshold must be finite, not {threshold}")
        return replace(self, threshold=float(threshold), basis="set", rate=None, calibrated=self._own)

    def counting(self, names: Collection[str]) -> Calibration:
        """The calibration with some of the odd parts counted as good. Other names change nothing.

        The kept scores and peaks give the new thresholds; the banks and the decision stay. Only for a
        calibration whose threshold nobody moved: raises ValueError for another.
        """
        if self.rate is None or self.calibrated is not None:
            raise ValueError("parts are counted before a threshold is moved")
        good = [part for part in self.odd if part.name in names]
        if not good:
            return self
        scores = tuple(sorted([*self.scores, *(part.score for part in good)]))
        peaks = tuple(sorted([*self.peaks, *(part.peak for part in good)]))
        threshold, basis = upper_limit(scores, self.rate)
        pixel_threshold, _ = upper_limit(peaks, self.rate)
        return replace(
            self,
            threshold=threshold,
            basis=basis,
            scores=scores,
            peaks=peaks,
            pixel_threshold=pixel_threshold,
            colours=_colours(self.colours[0], pixel_threshold),
            odd=tuple(part for part in self.odd if part not in good),
            confirmed=(*self.confirmed, *good),
        )

    @property
    def _own(self) -> float:
        return self.threshold if self.calibrated is None else self.calibrated


def calibrate(
    scores: Sequence[float] | NDArray[np.float64],
    maps: NDArray[np.float32],
    valid: NDArray[np.bool_],
    rate: float = 0.01,
    odd: Sequence[OddPart] = (),
) -> Calibration:
    """Calibrate on n held-out good parts.

    scores: (n,) final scores.
    maps: (n, size, size) final maps.
    valid: (n, size, size) bool, where the sensor returned a point.
    rate: the false-reject rate aimed at.
    odd: further parts, which are only kept.

    The colour scale is centred on the pixel threshold and starts at the median value of good surface. Raises
    ValueError if n is 0, counts differ or anything is not finite.
    """
    import numpy as np

    ordered = tuple(sorted(map(float, scores)))
    if not len(ordered) == len(maps) == len(valid) or maps.shape != valid.shape:
        raise ValueError(f"{len(ordered)} scores, maps {maps.shape} and valid {valid.shape} do not match")
    threshold, basis = upper_limit(ordered, rate)
    peaks = tuple(sorted(float(part_map.max()) for part_map in maps))
    pixel_threshold, _ = upper_limit(peaks, rate)
    surface = maps[valid] if valid.any() else maps
    colours = _colours(min(float(np.median(surface)), pixel_threshold), pixel_threshold)
    return Calibration(threshold, basis, rate, ordered, peaks, pixel_threshold, colours, tuple(odd))


def _colours(low: float, pixel_threshold: float) -> tuple[float, float]:
    """The ends of a scale that starts at `low` and has the pixel threshold in the middle."""
    return low, low + 2 * max(pixel_threshold - low, 1e-6 * abs(pixel_threshold), 1e-12)


def upper_limit(ordered: Sequence[float], rate: float) -> tuple[float, Basis]:
    """The threshold that a further good part exceeds with probability `rate` at most, and its basis.

    ordered: ascending scores of n good parts.

    With n + 1 >= 1 / rate the threshold is the conformal order statistic. Its promise holds for any
    distribution. With fewer parts the threshold is an estimate without such a promise, from a tail that is
    fitted to the highest scores (`banks.decision.exceedances`). Simulated with normal, Gumbel, exponential
    and log-normal scores (spread 0.5), further good parts lie above a limit for 1 % with a mean rate of 0.1
    to 1.7 % for 10 to 98 parts, and of 2.3 % at most for 5 parts.

    Raises ValueError if `ordered` is empty or not finite, or `rate` is not inside (0, 1).
    """
    if not 0 < rate < 1:
        raise ValueError(f"a rate must lie between 0 and 1, not {rate}")
    if not ordered or not all(map(math.isfinite, ordered)):
        raise ValueError("calibration needs at least one held-out part, and finite scores")
    rank = max(1, math.ceil((len(ordered) + 1) * (1 - rate) - 1e-9))
    if rank <= len(ordered):
        return ordered[rank - 1], "counted"
    from banks.decision.exceedances import Exceedances

    return Exceedances.fit(ordered).limit(rate), "extrapolated"


@lru_cache(maxsize=256)
def _left_out_rejects(ordered: tuple[float, ...], rate: float) -> int:
    """How many parts lie above the limit of the other parts. A higher part has a lower limit."""
    for above, place in enumerate(range(len(ordered) - 1, 0, -1)):
        others = ordered[:place] + ordered[place + 1 :]
        if ordered[place] <= upper_limit(others, rate)[0]:
            return above
    return max(len(ordered) - 1, 0)


def share_interval(count: int, total: int) -> tuple[float, float]:
    """Between which shares the true one lies with 90 % confidence, where `count` of `total` were seen, and so
    with 95 % confidence below the upper end (Clopper and Pearson 1934)."""
    from scipy.special import betaincinv

    outside = (1 - _CONFIDENCE) / 2
    low = float(betaincinv(count, total - count + 1, outside)) if count else 0.0
    high = float(betaincinv(count + 1, total - count, 1 - outside)) if count < total else 1.0
    return low, high
