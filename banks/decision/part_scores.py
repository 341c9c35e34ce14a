"""What all banks say of one part: what a decision rule is asked with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from banks.methods.method import Finding


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

    @property
    def image_scores(self) -> dict[str, float]:
        """Image score of every bank."""
        return {name: finding.image_score for name, finding in self.findings.items()}
