"""How much surface and how many pieces good parts show. A part without one of its pieces is defective."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

COVERAGE = "coverage"
"""Name of its contribution to the score, beside those of the banks."""
_TOLERANCE = 0.05
"""Part of the largest area by which a part may always differ, beside half the range of the good parts."""
_WEIGHT = 3.0
"""Contribution of a missing piece, or of an area that differs by twice the tolerance, in distances from the
median good part to the threshold."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """What good parts show: the least and the largest area, square metres, and the fewest pieces."""

    least_area: float
    most_area: float
    fewest_pieces: int

    @classmethod
    def of(cls, areas: Sequence[float], pieces: Sequence[int | None]) -> Coverage | None:
        """The coverage of parts. None without a surface: the parts have no clouds."""
        if not areas or max(areas) == 0:
            return None
        return cls(min(areas), max(areas), min(number or 0 for number in pieces))

    def joined(self, other: Coverage | None) -> Coverage:
        """The coverage of both groups of parts."""
        if other is None:
            return self
        return Coverage(
            min(self.least_area, other.least_area),
            max(self.most_area, other.most_area),
            min(self.fewest_pieces, other.fewest_pieces),
        )

    def contribution(self, area: float, pieces: int | None, reach: float) -> float:
        """The share of coverage in a part's score: 0 for a part like the good parts.

        area: square metres. pieces: number of kept pieces; None where none were searched, as in a part that
        was prepared before: then none is missing. reach: distance from the median good part to the threshold.
        """
        tolerance = _TOLERANCE * self.most_area + (self.most_area - self.least_area) / 2
        beyond = max(self.least_area - area, area - self.most_area) / tolerance - 1
        missing = 0 if pieces is None else self.fewest_pieces - pieces
        return _WEIGHT * reach * max(0.0, beyond, float(missing))
