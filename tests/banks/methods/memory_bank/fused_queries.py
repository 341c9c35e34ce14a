"""Queries with two halves, as a fused bank has them: the RGB half repeats."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

POINT, RGB = 33, 182
"""Channels of the halves in the default profile."""


def drawn(count: int, width: int, seed: int) -> NDArray[np.float32]:
    return np.random.default_rng(seed).standard_normal((count, width), dtype=np.float32)


def fused(side: int, *, empty: int = 0, rgb: int = RGB) -> NDArray[np.float32]:
    """(side * side, POINT + rgb): a point half for each patch, an RGB half for 2 x 2. The first patches have
    an empty point half."""
    colours = drawn(side * side // 4, rgb, 1).reshape(side // 2, 1, side // 2, 1, rgb)
    spread = np.broadcast_to(colours, (side // 2, 2, side // 2, 2, rgb)).reshape(side * side, rgb)
    points = drawn(side * side, POINT, 2)
    points[:empty] = 0
    return np.concatenate([points, spread], axis=1)
