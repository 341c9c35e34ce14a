"""The scores of good parts: what a decision rule is fitted on."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from banks.decision.part_scores import PartScores

PIXELS = 200_000
"""Pixels, over all parts, in `GoodScores.pixels`."""
SEED = 42
"""Of every random choice while a rule is fitted: the published `random_state`."""


class GoodScores:
    """The scores of n good parts as arrays. Columns are in the order of `banks`.

    The arrays are made when a rule first asks for them.
    """

    def __init__(self, banks: Sequence[str], parts: Sequence[PartScores]) -> None:
        """Raises ValueError without any part."""
        if not parts:
            raise ValueError("a decision is fitted on the scores of at least one part")
        self.banks = tuple(banks)
        self._parts = parts

    def __len__(self) -> int:
        return len(self._parts)

    @cached_property
    def scores(self) -> NDArray[np.float64]:
        """(n, B) image scores. Raises ValueError where one is negative or not finite."""
        rows = [[part.findings[bank].image_score for bank in self.banks] for part in self._parts]
        return _sound(np.array(rows, np.float64), "image scores")

    @cached_property
    def peaks(self) -> NDArray[np.float64]:
        """(n, B) highest value of each bank's places. Raises ValueError as `scores` does."""
        rows = [[float(part.places[bank].max()) for bank in self.banks] for part in self._parts]
        return _sound(np.array(rows, np.float64), "peaks")

    def maps(self) -> Iterator[NDArray[np.float32]]:
        """(size, size, B) float32 of one part after the other."""
        for part in self._parts:
            yield np.stack([part.maps[bank] for bank in self.banks], axis=-1)

    def pixels(self) -> NDArray[np.float64]:
        """(m, B) about `PIXELS` pixels of the maps, equally many of each part, the same on every call.

        Raises ValueError as `scores` does.
        """
        share = math.ceil(PIXELS / len(self))
        chosen: list[NDArray[np.float64]] = []
        for number, part_map in enumerate(self.maps()):
            pixels = part_map.reshape(-1, len(self.banks))
            if share < len(pixels):
                random = np.random.default_rng((SEED, number))
                pixels = pixels[random.choice(len(pixels), share, replace=False)]
            chosen.append(pixels.astype(np.float64))
        return _sound(np.concatenate(chosen), "maps")


def _sound(values: NDArray[np.float64], what: str) -> NDArray[np.float64]:
    if not np.isfinite(values).all() or (values < 0).any():
        raise ValueError(f"{what} must be finite and not negative")
    return values
