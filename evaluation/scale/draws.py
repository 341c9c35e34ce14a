"""Random numbers of a simulation: the same seed gives the same numbers, and each purpose has its own."""

from __future__ import annotations

import random


def stream(purpose: str, seed: int) -> random.Random:
    """Random numbers for one purpose. Another purpose with the same seed has other numbers."""
    return random.Random(f"{purpose} {seed}")  # noqa: S311 - nothing secret is drawn


def gamma(draw: random.Random, mean: float, spread: float) -> float:
    """A number of a gamma distribution. spread: standard deviation; 0 gives the mean itself, and the mean
    gives an exponential distribution."""
    if not spread:
        return mean
    shape = (mean / spread) ** 2
    return draw.gammavariate(shape, mean / shape)
