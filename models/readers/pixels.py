"""The pixels of an image as a file stores them, and their way to 8-bit RGB.

Grey is repeated three times and alpha is dropped (the colour stays as stored). Of 16-bit values, the highest
8 of their significant bits are kept. Cameras of 10, 12 and 14 bits write 16-bit files whose upper bits are
always 0. So the number of significant bits must be known: from the file, from the product, or else 16.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from models.readers.limits import ReadLimits, check_pixels
from models.sample import BadSample

_Value = TypeVar("_Value", np.uint8, np.uint16)

FULL_BITS = 16
CAMERA_BITS = (8, 10, 12, 14)
"""Significant bits of cameras whose files have 16 bits."""
_MOST_CHANNELS = 4
_DARK = 16  # of 255
_BRIGHT_SHARE = 0.01  # of the pixels of a nearly black image
_ROWS = 256  # converted at once, to save memory
_MOST_BEYOND = 0.5
"""Share of values beyond the product's bits. A bright spot has few of them, another pixel format has many."""


@dataclass(frozen=True, slots=True)
class Pixels:
    """An image as stored.

    Attributes:
        values: (H, W) grey or (H, W, 3) RGB, uint8 or uint16.
        bits: significant bits of 16-bit values, if the file says them.
    """

    values: NDArray[np.uint8] | NDArray[np.uint16]
    bits: int | None = None

    @property
    def largest(self) -> int | None:
        """The largest value of a 16-bit image that does not say its significant bits; otherwise None."""
        if self.values.dtype != np.uint16 or self.bits is not None:
            return None
        return int(self.values.max())

    def rgb(self, bits: int | None = None) -> NDArray[np.uint8]:
        """(H, W, 3) uint8.

        bits: significant bits of the product's 16-bit images. They count where the file says nothing.
            Values beyond them become white.

        Raises BadSample image_bits where more than half of the values are beyond the bits.
        """
        values = _highest_eight(self.values, self.bits or bits or FULL_BITS)
        if values.ndim == 2:
            return np.repeat(values[..., None], 3, axis=2)
        return values


def significant_bits(largest: int) -> int:
    """The fewest bits of a camera that can write the value `largest`."""
    return next((bits for bits in CAMERA_BITS if largest < 1 << bits), FULL_BITS)


def is_nearly_black(rgb: NDArray[np.uint8]) -> bool:
    """Whether all but a few pixels of an image are as dark as 12-bit values that are read as 16-bit ones.

    rgb: (H, W, 3) uint8.
    """
    bright = np.count_nonzero(rgb.max(axis=2) >= _DARK)
    return bright < _BRIGHT_SHARE * rgb.shape[0] * rgb.shape[1]


def pixels_of(array: NDArray[Any], limits: ReadLimits) -> Pixels:
    """An image that comes as an array. Raises BadSample: rgb_shape, rgb_dtype, too_small; TooLarge."""
    if array.ndim not in (2, 3) or (array.ndim == 3 and not 1 <= array.shape[2] <= _MOST_CHANNELS):
        shape = " x ".join(map(str, array.shape))
        raise BadSample(
            "rgb_shape", f"The image must be height x width, or height x width x 1 to 4, not {shape}."
        )
    if array.dtype not in (np.uint8, np.uint16):
        raise BadSample("rgb_dtype", f"The image must be 8-bit or 16-bit unsigned, not {array.dtype}.")
    check_pixels(array.shape[0], array.shape[1], limits.rgb_pixels, limits, "image")
    return Pixels(without_alpha(array))


def without_alpha(values: NDArray[_Value]) -> NDArray[_Value]:
    """(H, W) or (H, W, 3), contiguous.

    values: (H, W) grey; or (H, W, C): grey, grey and alpha, RGB, or RGB and alpha.
    """
    if values.ndim == 3:
        values = values[..., 0] if values.shape[2] < 3 else values[..., :3]
    return np.ascontiguousarray(values)


def _highest_eight(values: NDArray[np.uint8] | NDArray[np.uint16], bits: int) -> NDArray[np.uint8]:
    """The highest 8 of `bits` significant bits of 16-bit values; 8-bit values as they are."""
    if values.dtype == np.uint8:
        return values.astype(np.uint8, copy=False)
    most = (1 << bits) - 1
    if bits < FULL_BITS and np.count_nonzero(values > most) > _MOST_BEYOND * values.size:
        raise BadSample(
            "image_bits",
            f"Most values of the image are above {most}, but the product's images have {bits} significant "
            "bits. Set the camera's pixel format as it was for the good parts, or build the product again.",
        )
    eight = np.empty(values.shape, np.uint8)
    for start in range(0, len(values), _ROWS):
        rows = slice(start, start + _ROWS)
        eight[rows] = np.minimum(values[rows], most) >> (bits - 8)
    return eight
