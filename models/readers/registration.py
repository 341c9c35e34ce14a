"""An image and a cloud of different sizes become one grid of pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.sample import BadSample
from recipes.sensor import Registration

_Size = tuple[int, int]


def registered(rgb: NDArray[Any], size: _Size, registration: Registration) -> NDArray[Any]:
    """Bring an image to the size (H, W) of its cloud.

    An image of the cloud's size stays as it is. With the registration "scaled", both show the same field of
    view, so that the image is reduced by the mean of its pixels or enlarged. The cloud is never changed,
    because invented points would be learned.

    rgb: (H, W, 3) uint8; other arrays are returned unchanged, for make_sample to refuse.
    Raises BadSample size_mismatch, with what is possible for these sizes.
    """
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8 or rgb.shape[:2] == size:
        return rgb
    height, width = rgb.shape[:2]
    possible = _same_field((height, width), size)
    if registration == "pixels" or not possible:
        way = (
            "If both show the same field of view, declare registration=scaled. Else register the image to "
            "the cloud in the camera's software."
            if possible
            else "The ratios of their sides differ, so they cannot show the same field of view. Register the "
            "image to the cloud in the camera's software, or check whether height and width are swapped."
        )
        raise BadSample(
            "size_mismatch",
            f"The image is {height} x {width} and the cloud is {size[0]} x {size[1]} pixels (height x "
            f"width). {way}",
        )
    shape = (size[1], size[0])
    smaller = height >= size[0] and width >= size[1]
    how = Image.Resampling.BOX if smaller else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(rgb).resize(shape, how))


def _same_field(image: _Size, cloud: _Size) -> bool:
    """Whether two sizes can be of the same field of view: equal ratios, or whole numbers along each side."""
    if abs(image[0] - cloud[0] * image[1] / cloud[1]) < 1:
        return True
    pairs = list(zip(image, cloud, strict=True))
    return all(one % other == 0 for one, other in pairs) or all(other % one == 0 for one, other in pairs)
