"""Clouds that tests of the preparation share."""

from __future__ import annotations

import numpy as np

PITCH = 0.0005


def scene(height: int = 400, width: int = 400, *, dome: bool = True, noise: float = 0.0003) -> np.ndarray:
    """(H, W, 3) float32 metres: a dome in the middle of a tilted table."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:height, :width]
    x, y = (columns - width / 2) * PITCH, (rows - height / 2) * PITCH
    z = 0.6 + 0.1 * x + 0.05 * y
    if dome:
        radius = 0.3 * min(height, width) * PITCH
        square = np.clip(radius**2 - x**2 - y**2, 0, None)
        z = z - np.where(square > 0, 0.01 + np.sqrt(square) / 2, 0)
    return np.stack([x, y, z + rng.normal(0, noise, z.shape)], axis=2).astype(np.float32)
