"""A cloud as its file stores it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from recipes.sensor import Unit


class Scale(NamedTuple):
    """What turns stored coordinates into metres: stored * factor + offset. Both: (1,) or (3,) float64."""

    factor: NDArray[np.float64]
    offset: NDArray[np.float64]


class Stored(NamedTuple):
    """A cloud before its unit is decided.

    xyz: (H, W, 3) coordinates as stored, or (H, W) heights as stored. rgb: (H, W, 3) uint8 if the points have
    colour. unit: the unit that the file names. scale: of coordinates that the file itself turns into metres.
    """

    xyz: NDArray[Any]
    rgb: NDArray[np.uint8] | None = None
    unit: Unit | None = None
    scale: Scale | None = None
