"""Patch distances of one bank to a map over the square image plane (M3DM features.py; paper sec. 3.4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from models.layout import Layout
from recipes.banks import Blur

_SIGMA = 4  # pixels of the map; the published class ignores its argument and uses 4


def score_map(
    distances: NDArray[np.float32], layout: Layout, size: int = 224, blur: Blur = "gaussian"
) -> NDArray[np.float32]:
    """Spread distances over the image as the layout says, and blur.

    distances: (n,) float32, one for each row of the layout, finite, not negative.
    size: side of the image in pixels.
    blur: "gaussian" is a true Gaussian of sigma 4. "pil8" is the published blur: it first rounds the map down
        to 255 steps of its own maximum and then uses PIL's three box filters. "none" is not blurred.
    Returns (size, size) float32 in the unit of the distances. Raises ValueError on another length or blur.
    """
    if distances.shape != (len(layout),):
        raise ValueError(f"{layout} need ({len(layout)},) distances, not {distances.shape}")
    if blur not in _BLURS:
        raise ValueError(f"no blur is called {blur!r}")
    return _BLURS[blur](layout, distances, size)


def _gaussian(layout: Layout, distances: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    return layout.smooth_image(distances, size, _SIGMA)


def _published(layout: Layout, distances: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """The published 8-bit chain. An all-zero map stays zero, where the published code divides by zero."""
    image = layout.image(distances, size)
    highest = image.max()
    if highest <= 0:
        return np.zeros((size, size), np.float32)
    steps = Image.fromarray((image / highest * 255).astype(np.uint8))
    blurred = np.asarray(steps.filter(ImageFilter.GaussianBlur(_SIGMA)), np.float32)
    return blurred / 255 * highest


_BLURS: Mapping[Blur, Callable[[Layout, NDArray[np.float32], int], NDArray[np.float32]]] = {
    "gaussian": _gaussian,
    "pil8": _published,
    "none": lambda layout, distances, size: layout.image(distances, size),
}
