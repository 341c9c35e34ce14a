"""What is usual on a product's good parts: the unit of channels that have none of their own."""

from __future__ import annotations

import math
from typing import TypeAlias

Usual: TypeAlias = tuple[tuple[float, float], ...]
"""Of each channel, what is usual on good parts: the median, and the spread around it."""


def check_usual(usual: Usual, channels: int) -> None:
    """Raise ValueError unless there is a finite median and a spread above 0 for each channel."""
    whole = len(usual) == channels and all(map(math.isfinite, sum(usual, ())))
    if not whole or any(spread <= 0 for _, spread in usual):
        raise ValueError(f"usual must be {channels} pairs of a number and a number above 0, or null")
