"""The memory banks of one version, and what they say about one part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from banks.decision.score_map import score_map
from banks.methods.memory_bank.bank import BankScore, MemoryBank, Normaliser
from banks.methods.memory_bank.search import Rows
from models.features import PartFeatures
from models.layout import Layout
from recipes.banks import Blur, Reweighting

PLACES = 56
"""Side of the plane on which banks are compared place by place: the finest grid of the method."""


@dataclass(frozen=True, slots=True)
class NormalisedBank:
    """A memory bank with the normaliser its rows went through."""

    bank: MemoryBank
    normaliser: Normaliser
    reweighting: Reweighting

    def score(self, rows: Rows) -> BankScore:
        """Score raw patch rows (n, C) float32 of one part."""
        return self.bank.score(self.normaliser(self.bank.take(rows)), self.reweighting)


@dataclass(frozen=True, slots=True)
class PartScores:
    """What every bank says of one part, by bank name.

    maps: (size, size) float32, as shown. places: (PLACES, PLACES) float32, patch distances before the wide
    blur, from which rules learn whether banks speak of the same place. layouts: where the patches lie that
    the distances are of.
    """

    banks: Mapping[str, BankScore]
    maps: Mapping[str, NDArray[np.float32]]
    places: Mapping[str, NDArray[np.float32]]
    layouts: Mapping[str, Layout]

    @property
    def peaks(self) -> dict[str, float]:
        """By bank: the highest of its places."""
        return {name: float(places.max()) for name, places in self.places.items()}

    @property
    def image_scores(self) -> dict[str, float]:
        """Re-weighted image score of every bank."""
        return {name: score.image_score for name, score in self.banks.items()}


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
        scores = {name: bank.score(features[name].rows) for name, bank in self.banks.items()}
        layouts = {name: features[name].layout for name in self.banks}
        maps = {
            name: score_map(score.distances, layouts[name], self.size, self.blur)
            for name, score in scores.items()
        }
        places = {
            name: layouts[name].smooth_image(score.distances, PLACES, self.place_sigma)
            for name, score in scores.items()
        }
        return PartScores(scores, maps, places, layouts)
