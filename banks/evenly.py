"""Some of many parts, evenly spread."""

from __future__ import annotations


def evenly(count: int, chosen: int) -> list[int]:
    """`chosen` numbers below `count`, evenly spread, the first of them 0."""
    return [count * place // chosen for place in range(chosen)]
