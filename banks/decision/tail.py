"""The decision rule "tail": how surprising each place of a part would be on a good part."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import log_ndtr

from banks.decision.good_scores import GoodScores
from banks.decision.part_scores import PartScores
from banks.decision.verdict import Verdict
from models.layout import GridLayout

PRIOR_SPREAD = 0.08
"""Usual spread of the logarithm of good parts' peaks, measured on the demo products."""
PRIOR_PARTS = 10
"""Parts that the usual spread weighs as much as."""
_FIELDS = ("centre", "spread", "floor")
_BLUR = 2.0
"""Deviation of the Gaussian over the map, pixels (docs/results.md)."""


@dataclass(frozen=True, slots=True)
class Tail:
    """How far each bank's score lies in the tail of good parts.

    The rule takes the scores of good parts as log-normal. A value's surprisal is -log P(a good part shows as
    much), in nats: surprisals have no unit and grow without end.

    The rule compares the banks place by place. At each place it takes each bank's patch distance, asks how
    surprising that distance would be as the highest of a whole good part, and adds up the banks' surprisals.
    The place with the highest sum decides. Banks that agree on a place add up. A bank that sees nothing there
    contributes almost nothing, even if it has a noisy maximum elsewhere (measured in docs/results.md).
    The map shows these sums, spread over the image and blurred.

    The sum is no probability of the part: the banks see overlapping data.

    peak_centre, peak_spread: of the logarithm of a good part's highest patch distance, one a bank.
    peak_floor: smaller values count as this value, one a bank.
    pixel_centre, pixel_spread, pixel_floor: the same of a good pixel's map value. Versions of earlier builds
        have them, and their map adds up the surprisals of the banks' maps pixel by pixel. Empty without.
    Raises ValueError for numbers that cannot be.
    """

    name: ClassVar[str] = "tail"
    banks: tuple[str, ...]
    peak_centre: tuple[float, ...]
    peak_spread: tuple[float, ...]
    peak_floor: tuple[float, ...]
    pixel_centre: tuple[float, ...] = ()
    pixel_spread: tuple[float, ...] = ()
    pixel_floor: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        for of in ("peak", "pixel") if self.pixel_centre else ("peak",):
            numbers = np.array([getattr(self, f"{of}_{field}") for field in _FIELDS])
            if numbers.shape != (3, len(self.banks)) or not self.banks or not np.isfinite(numbers).all():
                raise ValueError("a tail needs finite numbers for each bank")
            if not (numbers[1:] > 0).all():
                raise ValueError("spreads and floors must be positive")

    @classmethod
    def fit(cls, good: GoodScores) -> Tail:
        """Fit log-normals to peaks, by their median and a spread drawn towards a prior.

        A handful of parts gives a spread that may be wrong by half. A bank whose spread comes out too small
        would outweigh the others, so the prior weighs as much as `PRIOR_PARTS` parts.
        """
        count = len(good)
        floor = _floor(good.peaks)
        logs = np.log(np.maximum(good.peaks, floor))
        squares = np.square(logs - logs.mean(axis=0)).sum(axis=0) + PRIOR_PARTS * PRIOR_SPREAD**2
        return cls(
            good.banks,
            peak_centre=tuple(np.median(logs, axis=0).tolist()),
            peak_spread=tuple(np.sqrt(squares / (count - 1 + PRIOR_PARTS)).tolist()),
            peak_floor=tuple(floor.tolist()),
        )

    def judge(self, part: PartScores) -> Verdict:
        """Surprisals in nats: of each bank at the place of their highest sum, and summed in the map."""
        models = zip(self.banks, self.peak_centre, self.peak_spread, self.peak_floor, strict=True)
        surprisals = np.stack([_surprisal(part.places[bank], *model) for bank, *model in models])
        surprisals = surprisals.astype(np.float64)
        side = surprisals.shape[1]
        sums = surprisals.sum(axis=0)
        row, column = divmod(int(sums.argmax()), side)
        found = surprisals[:, row, column].tolist()
        place = ((column + 0.5) / side, (row + 0.5) / side)
        return Verdict(dict(zip(self.banks, found, strict=True)), place, self._map(part, sums))

    def to_json(self) -> dict[str, Any]:
        """The fields that are not empty, and the name."""
        return {field: value for field, value in asdict(self).items() if value} | {"name": self.name}

    def _map(self, part: PartScores, sums: NDArray[np.float64]) -> NDArray[np.float32]:
        """The map of a part. sums: (P, P) of the surprisals of its places."""
        if not self.pixel_centre:
            return GridLayout(len(sums)).smooth_image(sums.astype(np.float32), part.size, _BLUR)
        models = zip(self.banks, self.pixel_centre, self.pixel_spread, self.pixel_floor, strict=True)
        surprisals = [_surprisal(part.maps[bank], *model) for bank, *model in models]
        return np.add.reduce(surprisals, dtype=np.float32)


def _surprisal(values: ArrayLike, centre: float, spread: float, floor: float) -> NDArray[Any]:
    """-log of the probability that a log-normal exceeds the values. Computed in logarithms: never
    infinite."""
    return -log_ndtr((centre - np.log(np.maximum(values, floor))) / spread)


def _floor(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """The smallest value that a logarithm is taken of: a thousandth of each column's largest value, or a tiny
    number where that is 0."""
    return np.maximum(1e-3 * rows.max(axis=0), 1e-12)
