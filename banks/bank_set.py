"""The memory banks of one version, and what they say about one part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from banks.decision.part_scores import PartScores
from banks.decision.score_map import score_map
from banks.methods.memory_bank.bank import MemoryBank, Normaliser
from banks.methods.method import Finding
from models.features import PartFeatures, Patches
from recipes.banks import Blur, Reweighting

PLACES = 56
"""Side of the plane on which banks are compared place by place: the finest grid of the method."""


@dataclass(frozen=True, slots=True)
class NormalisedBank:
    """A memory bank with the normaliser its rows went through."""

    bank: MemoryBank
    normaliser: Normaliser
    reweighting: Reweighting

    def score(self, patches: Patches) -> Finding:
        """Score the patches of one part."""
        found = self.bank.score(self.normaliser(self.bank.take(patches.rows)), self.reweighting)
        return Finding(found.distances, patches.layout, found.image_score, found.ids)


@dataclass(frozen=True, slots=True)
class BankSet:
    """The banks of a version, in their order.

    blur, size: of the maps. place_sigma: of the Gaussian over places, in places.
    """

    banks: Mapping[str, NormalisedBank]
    blur: Blur
    size: int
    place_sigma: float

    def score(self, features: PartFeatures) -> PartScores:
        """Distances, image score and map of every bank for one part."""
        findings = {name: bank.score(features[name]) for name, bank in self.banks.items()}
        maps = {
            name: score_map(finding.values, finding.layout, self.size, self.blur)
            for name, finding in findings.items()
        }
        places = {
            name: finding.layout.smooth_image(finding.values, PLACES, self.place_sigma)
            for name, finding in findings.items()
        }
        return PartScores(findings, maps, places)
