"""A part as an image for people: its RGB image, or its depth in grey if it has no colour."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class ImageAndCloud(Protocol):
    """The fields that a `Sample` and a `PreparedPart` share."""

    @property
    def rgb(self) -> NDArray[np.uint8]: ...
    @property
    def xyz(self) -> NDArray[np.float32]: ...
    @property
    def valid(self) -> NDArray[np.bool_]: ...


def appearance(part: ImageAndCloud) -> NDArray[np.uint8]:
    """(H, W, 3) uint8: the RGB image, or the depth in grey if the part has no colour."""
    if part.rgb.any() or not part.valid.any():
        return part.rgb
    return depth_image(part)


def depth_image(part: ImageAndCloud) -> NDArray[np.uint8]:
    """(H, W, 3) uint8: the depth in grey from the 1st to the 99th percentile; near is light.

    Pixels without a point are black.
    """
    if not part.valid.any():
        return np.zeros((*part.valid.shape, 3), np.uint8)
    depth = part.xyz[..., 2]
    near, far = np.percentile(depth[part.valid], (1, 99))
    grey = 230 - 200 * np.clip((depth - near) / max(far - near, 1e-9), 0.0, 1.0)
    return np.repeat(np.where(part.valid, grey, 0).astype(np.uint8)[..., None], 3, axis=2)
