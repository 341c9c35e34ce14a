"""How much of each lamp and of the room reaches what the camera sees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from evaluation.mesh_parts.mesh import Floats
from evaluation.mesh_parts.scene import Hits, Scene
from evaluation.mesh_parts.station import Lamp, Station
from evaluation.mesh_parts.vectors import unit

_TILE = 4
_CORNERS = (0, 8, 2, 10, 12, 4, 14, 6, 3, 11, 1, 9, 15, 7, 13, 5)
"""An order of 16 samples in which neighbours differ (Bayer's)."""


@dataclass(frozen=True)
class Light:
    """lamps: (L, N) float32 [0, 1], share of each lamp that is seen. room: (N,), share of the room."""

    lamps: Floats
    room: Floats

    def of(self, chosen: np.ndarray) -> Light:
        return Light(self.lamps[:, chosen], self.room[chosen])


def light(scene: Scene, hits: Hits, station: Station, clear: float, reach: float) -> Light:
    """Each pixel of a tile of 4 x 4 asks one of 16 points of a lamp; the tile's mean is the soft shadow.

    clear: metres above the surface where a way to the light starts. reach: metres within which surroundings
    darken a place.
    """
    shape = (station.rows, station.cols)
    row, col = np.indices(shape) % _TILE
    sample = np.array(_CORNERS)[(row * _TILE + col).ravel()]
    lamps = [
        _share(~scene.blocked(hits, _points(lamp)[sample] - hits.point, clear), shape)
        for lamp in station.lamps
    ]
    around = unit(hits.normal + 0.97 * _sphere()[sample]) * np.float32(reach)
    return Light(np.stack(lamps), _share(~scene.blocked(hits, around, clear), shape))


def _share(seen: np.ndarray, shape: tuple[int, int]) -> Floats:
    mean = ndimage.uniform_filter(seen.reshape(shape).astype(np.float32), _TILE, mode="nearest")
    return np.clip(ndimage.gaussian_filter(mean, 0.7), 0, 1).ravel()


def _points(lamp: Lamp) -> Floats:
    """(16, 3) float32, evenly over the lamp's disc."""
    number = np.arange(16)
    away, angle = lamp.radius * np.sqrt((number + 0.5) / 16), 2.39996 * number
    ahead = -lamp.at / np.sqrt((lamp.at**2).sum())
    side = np.cross(ahead, [0.0, 0.0, 1.0])
    side /= np.sqrt((side**2).sum())
    up = np.cross(side, ahead)
    disc = (away * np.cos(angle))[:, None] * side + (away * np.sin(angle))[:, None] * up
    return (lamp.at + disc).astype(np.float32)


def _sphere() -> Floats:
    """(16, 3) float32 directions, evenly all around."""
    number = np.arange(16)
    z = 1 - (2 * number + 1) / 16
    ring, angle = np.sqrt(1 - z**2), 2.39996 * number
    return np.stack([ring * np.cos(angle), ring * np.sin(angle), z], axis=-1).astype(np.float32)
