"""A cloud as its file stores it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recipes.sensor import Unit


class Stored(NamedTuple):
    """A cloud before its unit is decided.

    xyz: (H, W, 3) as stored. rgb: (H, W, 3) uint8 if the points have colour. unit: the unit that the file
    names.
    """

    xyz: NDArray[np.floating]
    rgb: NDArray[np.uint8] | None = None
    unit: Unit | None = None
