"""What all banks say of one part: what a decision rule is asked with."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from banks.methods.method import Finding
from models.preparation.roi import BANK_BITS


class MapsOnDemand(Mapping[str, NDArray[np.float32]]):
    """Maps of a part, each made when it is first asked for: most are never shown.

    Several threads may ask at once: a map may then be made twice, and all get the same one.
    """

    def __init__(self, banks: Collection[str], make: Callable[[str], NDArray[np.float32]]) -> None:
        """banks: the names. make: a bank's map, always the same."""
        self._banks = banks
        self._make = make
        self._made: dict[str, NDArray[np.float32]] = {}

    def __getitem__(self, bank: str) -> NDArray[np.float32]:
        if bank not in self._banks:
            raise KeyError(bank)
        if bank not in self._made:
            self._made.setdefault(bank, self._make(bank))
        return self._made[bank]

    def __iter__(self) -> Iterator[str]:
        return iter(self._banks)

    def __len__(self) -> int:
        return len(self._banks)


@dataclass(frozen=True, slots=True)
class PartScores:
    """What every bank says of one part, by bank name.

    findings: patch distances and image score of every bank.
    size: side of the maps.
    maps: (size, size) float32, each bank's map as it is shown.
    places: (P, P) float32, lightly smoothed patch distances on one grid that all banks share, so that a rule
        can compare the banks place by place.
    """

    findings: Mapping[str, Finding]
    size: int
    maps: Mapping[str, NDArray[np.float32]]
    places: Mapping[str, NDArray[np.float32]]

    def within(self, look: NDArray[np.uint8]) -> PartScores:
        """The same scores with maps of 0 where a bank looks at nothing. look: (size, size), `Roi.bits`."""
        shown = self.maps

        def within(bank: str) -> NDArray[np.float32]:
            return np.where(look & BANK_BITS[bank] > 0, shown[bank], np.float32(0))

        return replace(self, maps=MapsOnDemand(shown.keys(), within))

    @property
    def image_scores(self) -> dict[str, float]:
        """Image score of every bank."""
        return {name: finding.image_score for name, finding in self.findings.items()}
