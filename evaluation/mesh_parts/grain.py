"""Solid noise: a random field in space, the same wherever it is asked."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.random import PCG64, Generator
from scipy import ndimage

from evaluation.mesh_parts.mesh import Floats

_SIDE = 64
_SIGMA = 1.3
_WAVELENGTH = 5.5
"""Cells from hill to hill in the block of noise."""


@lru_cache(maxsize=1)
def _block() -> Floats:
    """(64, 64, 64) float32, mean 0, deviation 1, without a seam at its sides."""
    white = Generator(PCG64(17)).standard_normal((_SIDE,) * 3, dtype=np.float32)
    soft = ndimage.gaussian_filter(white, _SIGMA, mode="wrap")
    return ((soft - soft.mean()) / soft.std()).astype(np.float32)


class Grain:
    """Noise with hills about `wavelength` metres apart; `stretch` times as long along x, y and z."""

    def __init__(
        self, rng: Generator, wavelength: float, stretch: tuple[float, float, float] = (1.0, 1.0, 1.0)
    ) -> None:
        self._cells = _WAVELENGTH / (wavelength * np.array(stretch))
        self._turn = _skewed(rng)
        self._start = rng.uniform(0, _SIDE, 3)

    def __call__(self, points: Floats) -> Floats:
        """points: (N, 3) metres -> (N,) float32, mean about 0, deviation about 1."""
        scaled = points * self._cells.astype(np.float32)
        place = [
            scaled[:, 0] * row[0] + scaled[:, 1] * row[1] + scaled[:, 2] * row[2] + start
            for row, start in zip(self._turn.astype(np.float32), self._start.astype(np.float32), strict=True)
        ]
        return np.asarray(ndimage.map_coordinates(_block(), np.stack(place), order=1, mode="grid-wrap"))


def _skewed(rng: Generator) -> Floats:
    """(3, 3) a random rotation, so that the block's repeats do not line up."""
    a, b, c, d = rng.standard_normal(4)
    n = np.sqrt(a * a + b * b + c * c + d * d)
    a, b, c, d = a / n, b / n, c / n, d / n
    return np.array(
        [
            [1 - 2 * (c * c + d * d), 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), 1 - 2 * (b * b + d * d), 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), 1 - 2 * (b * b + c * c)],
        ]
    )


def step(distance: Floats, width: float) -> Floats:
    """0 to 1 while `distance` passes from -width/2 to width/2."""
    share = np.clip(np.asarray(distance, np.float32) / np.float32(width) + np.float32(0.5), 0, 1)
    return share * share * (3 - 2 * share)
