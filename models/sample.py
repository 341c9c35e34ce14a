"""One part as every reader leaves it: an RGB image and its organised point cloud, pixel for pixel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


class BadSample(ValueError):
    """A part that parsed but cannot be scored. `code` is stable; the message says what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class UnsupportedType(BadSample):
    """Bytes of a kind that no reader accepts."""


class TooLarge(BadSample):
    """More bytes, pixels or points (also once decompressed) than the limits allow."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One part.

    rgb: (H, W, 3) uint8. All zero if the part was recorded without colour.
    xyz: (H, W, 3) float32, metres, camera frame. Exactly 0, 0, 0 where `valid` is False.
    valid: (H, W) bool, True where the sensor returned a point.
    """

    rgb: NDArray[np.uint8]
    xyz: NDArray[np.float32]
    valid: NDArray[np.bool_]
