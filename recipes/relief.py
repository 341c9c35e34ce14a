"""Settings of the relief extractor: what local quadric fits say of a part's surface, and its colour there."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from recipes.measured import Measured, rounded
from recipes.points import relief
from recipes.usual import Usual, check_usual

CHANNELS = 12
"""See `models.relief.extractor`."""
_HAND_SIZED = 0.00045
"""Distance of neighbouring points on the prepared grid of a hand-sized part, metres."""
_INSIDE = 0.7
"""Share of a patch's window that shows the part where the patch is well inside the part."""


@dataclass(frozen=True, slots=True)
class ReliefChoice:
    """Settings of the relief extractor.

    Attributes:
        side: patches along one edge.
        unit: metres of height that count as much as the distance of two neighbouring points of the prepared
            grid. None means that it follows the product: the distance itself, or less on a flat part, as for
            the histograms.
        usual: what is usual on the product's good parts. None follows the product, and scales nothing.
        inside: a patch at an edge has no row: where the part fills less than this share of its window. None
            follows the product, whose parts may be slim, and is the share for a part that is not.

    Raises ValueError for impossible numbers.
    """

    side: Literal[56, 112, 168] = 56
    unit: float | None = None
    usual: Usual | None = None
    inside: float | None = None

    def __post_init__(self) -> None:
        if self.unit is not None and not (math.isfinite(self.unit) and self.unit > 0):
            raise ValueError(f"unit must be a length above 0 in metres, or null, not {self.unit}")
        if self.inside is not None and not 0 < self.inside <= 1:
            raise ValueError(f"inside must lie between 0 and 1, or be null, not {self.inside}")
        if self.usual is not None:
            check_usual(self.usual, CHANNELS)

    def resolved(self, measured: Measured | None) -> ReliefChoice:
        """The same settings with a number for the unit.

        measured: of the product; None where no cloud could be measured, which gives that of a hand-sized
        part.
        """
        pitch = _HAND_SIZED if measured is None else measured.grid_pitch
        return replace(self, unit=self.unit or rounded(pitch / relief(measured)))

    @property
    def length(self) -> float:
        """The unit, metres. Raises ValueError if it still follows the product."""
        if self.unit is None:
            raise ValueError("the unit of the relief follows the product: resolve the profile first")
        return self.unit

    @property
    def least_share(self) -> float:
        """Share of a patch's window that the part must fill."""
        return _INSIDE if self.inside is None else self.inside

    def fitted(self, usual: Usual | None, widest: float) -> ReliefChoice:
        """The same settings with what is usual on good parts, wherever that still follows the product.

        widest: share that the part fills in the windows of its innermost patches.
        """
        inside = rounded(_INSIDE * widest) or None
        return replace(
            self,
            usual=usual if self.usual is None else self.usual,
            inside=inside if self.inside is None else self.inside,
        )
