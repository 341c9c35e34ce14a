"""What all banks say of one part: what a decision rule is asked with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from banks.methods.method import Finding
from models.preparation.roi import BANK_BITS


@dataclass(frozen=True, slots=True)
class PartScores:
    """What every bank says of one part, by bank name.

    findings: patch distances and image score of every bank.
    maps: (size, size) float32, each bank's map as it is shown.
    places: (P, P) float32, lightly smoothed patch distances on one grid that all banks share, so that a rule
        can compare the banks place by place.
    """

    findings: Mapping[str, Finding]
    maps: Mapping[str, NDArray[np.float32]]
    places: Mapping[str, NDArray[np.float32]]

    def within(self, look: NDArray[np.uint8]) -> PartScores:
        """The same scores with maps of 0 where a bank looks at nothing. look: (size, size), `Roi.bits`."""
        maps = {
            name: np.where(look & BANK_BITS[name] > 0, of_bank, np.float32(0))
            for name, of_bank in self.maps.items()
        }
        return replace(self, maps=maps)

    @property
    def image_scores(self) -> dict[str, float]:
        """Image score of every bank."""
        return {name: finding.image_score for name, finding in self.findings.items()}
