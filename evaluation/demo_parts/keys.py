"""Who a part is, and the random streams that follow from it alone."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from numpy.random import PCG64, Generator

GENERATOR_VERSION = 2
"""Raise it whenever the same key may give other bytes."""


def stream(*path: str | int) -> Generator:
    """A PCG64 generator that depends on `path` alone."""
    text = "/".join(str(step) for step in (GENERATOR_VERSION, *path))
    digest = hashlib.sha256(text.encode()).digest()
    return Generator(PCG64(int.from_bytes(digest[:16], "big")))


@dataclass(frozen=True, slots=True)
class PartKey:
    """One part: seed, product, split, kind ("good" or a defect's name) and number within that folder."""

    seed: int
    product: str
    split: str
    kind: str
    index: int

    def stream(self, purpose: str) -> Generator:
        """Randomness for one purpose, so that a defect never shifts the draws of body, pose or scan."""
        return stream(self.seed, self.product, self.split, self.kind, self.index, purpose)

    def severity(self) -> float:
        """0 (fine) to 1 (coarse), spread evenly over the numbers of a folder whatever their count."""
        start = stream(self.seed, self.product, self.kind, "severity").random()
        return float((start + self.index * 0.6180339887498949) % 1.0)
