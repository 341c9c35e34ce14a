"""Background removal, square padding and the 224 x 224 grid (paper sec. 4.1; BTF preprocessing script)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from models.sample import Sample


@dataclass(frozen=True, slots=True)
class Preparation:
    """Settings that training parts and scored parts share; they travel in the manifest.

    background: "plane" removes the support plane and keeps the largest component; "none" keeps all
        (input already prepared as the published script leaves it).
    size: side of the square cloud grid, pixels. rgb_size: side of the square RGB image, pixels.
    """

    background: Literal["plane", "none"] = "plane"
    size: int = 224
    rgb_size: int = 224


@dataclass(frozen=True, slots=True)
class Frame:
    """How the square grid lies over the source image: the source was padded by `top` and `left`
    pixels to a square of `side` pixels, then resized.

    height, width: the source's size in pixels.
    """

    height: int
    width: int
    top: int
    left: int
    side: int


@dataclass(frozen=True, slots=True)
class PreparedPart:
    """One part on the square grid.

    rgb: (rgb_size, rgb_size, 3) uint8, background 0. xyz: (size, size, 3) float32 metres, 0 where not
    valid. valid: (size, size) bool. plane_found: whether a support plane was removed.
    """

    rgb: NDArray[np.uint8]
    xyz: NDArray[np.float32]
    valid: NDArray[np.bool_]
    frame: Frame
    plane_found: bool


def prepare(sample: Sample, settings: Preparation) -> PreparedPart:
    """Prepare one part. Raises BadSample when nothing usable is left."""
    raise NotImplementedError
