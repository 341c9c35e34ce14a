"""What a decision rule says of one part, and what every rule can do."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from banks.decision.part_scores import PartScores


@dataclass(frozen=True, slots=True)
class Verdict:
    """One part's score, what it is made of, and where it comes from.

    contributions: each bank's share of the score, by bank name; and "coverage", where the part shows less or
        more than the good parts (`banks.decision.coverage`).
    place: the place that decided the score: its centre, x and y as shares of the prepared square's side.
        None for a rule that adds up image scores, wherever each bank found its own.
    map: (size, size) float32, the banks' maps as one.
    """

    contributions: Mapping[str, float]
    place: tuple[float, float] | None
    map: NDArray[np.float32]

    @property
    def score(self) -> float:
        """The part's score: the sum of the contributions."""
        return math.fsum(self.contributions.values())

    def within(self, mask: NDArray[np.bool_]) -> Verdict:
        """The verdict with a map of 0 outside a (size, size) mask, and a place inside."""
        place, size = self.place, len(mask)
        rows, columns = np.nonzero(mask)
        if place is not None and len(rows) and not mask[grid_pixel(place, size)]:
            distances = np.hypot(columns + 0.5 - place[0] * size, rows + 0.5 - place[1] * size)
            nearest = int(distances.argmin())
            place = ((columns[nearest] + 0.5) / size, (rows[nearest] + 0.5) / size)
        return replace(self, place=place, map=np.where(mask, self.map, np.float32(0)))


def grid_pixel(place: tuple[float, float], size: int) -> tuple[int, int]:
    """Row and column of the pixel of a (size, size) grid at a place of the square, x and y as shares of its
    side."""
    row, column = (min(int(share * size), size - 1) for share in (place[1], place[0]))
    return row, column


class Decision(Protocol):
    """A fitted decision rule."""

    @property
    def banks(self) -> tuple[str, ...]:
        """The banks that the rule asks."""
        ...

    def judge(self, part: PartScores) -> Verdict:
        """The verdict on a part that holds scores of at least `banks`."""
        ...

    def to_json(self) -> dict[str, Any]:
        """Plain JSON types, which `banks.decision.rules.from_json` reads."""
        ...
