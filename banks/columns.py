"""The columns of one version, and what they say about one part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from banks.decision.part_scores import MapsOnDemand, PartScores
from banks.decision.score_map import score_map
from banks.methods.method import Method, Provenance
from models.features import PartFeatures
from recipes.banks import Blur
from recipes.profile import Profile

PLACES = 56
"""Side of the grid on which banks are compared place by place, at scale 1: the finest grid of the method."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The fitted columns of a version, in the order of its profile's banks.

    columns: by the bank whose patches the column sees.
    blur, size: of the maps.
    place_sigma: of the Gaussian over the grid of places, in places.
    places: side of the grid of places.
    """

    columns: Mapping[str, Method]
    blur: Blur
    size: int
    place_sigma: float
    places: int = PLACES

    @classmethod
    def of(cls, profile: Profile, columns: Mapping[str, Method]) -> Columns:
        """The fitted columns of a profile's banks."""
        size, places = profile.preparation.size, PLACES * profile.scale
        return cls(columns, profile.blur, size, profile.place_sigma, places)

    @property
    def provenance(self) -> dict[str, Provenance]:
        """Where the rows of each column came from; without columns that keep no rows."""
        origins = {name: column.provenance for name, column in self.columns.items()}
        return {name: origin for name, origin in origins.items() if origin is not None}

    def score(self, features: PartFeatures) -> PartScores:
        """What every column says of one part."""
        findings = {name: column.score(features[name]) for name, column in self.columns.items()}
        places = {
            name: finding.layout.smooth_image(finding.values, self.places, self.place_sigma)
            for name, finding in findings.items()
        }

        def make_map(bank: str) -> NDArray[np.float32]:
            return score_map(findings[bank].values, findings[bank].layout, self.size, self.blur)

        return PartScores(findings, self.size, MapsOnDemand(findings.keys(), make_map), places)

    def without(self, part: int) -> Columns:
        """The columns as if they had not seen one training part. Every method must be able to forget."""
        others = {name: column.without(part) for name, column in self.columns.items()}
        return replace(self, columns=others)
