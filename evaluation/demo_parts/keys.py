"""The key of a demo part, and random streams that depend on the key alone."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from numpy.random import PCG64, Generator

GENERATOR_VERSION = 2
"""Increase this number if a change may give other bytes for the same key."""


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
        """Random numbers for one purpose, so that a defect does not change those of body, pose or scan."""
        return stream(self.seed, self.product, self.split, self.kind, self.index, purpose)

    def severity(self) -> float:
        """0 (fine) to 1 (coarse), evenly spread over the numbers of a folder of any size."""
        start = stream(self.seed, self.product, self.kind, "severity").random()
        return float((start + self.index * 0.6180339887498949) % 1.0)
