"""A rendered part, whatever generator made it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class DemoPart:
    """rgb: (H, W, 3) uint8. xyz: (H, W, 3) float32 metres, 0, 0, 0 = no return. mask: (H, W) bool."""

    rgb: NDArray[np.uint8]
    xyz: NDArray[np.float32]
    mask: NDArray[np.bool_]


@dataclass(frozen=True)
class Stand:
    """Where the table of a part is, seen from its camera.

    turn: (3, 3), camera frame -> a frame with z up and z = 0 on the table. camera: (3,) metres, in it.
    height: metres, of the good part's highest point above the table.
    """

    turn: NDArray[np.floating]
    camera: NDArray[np.floating]
    height: float
