"""Patch distances of one bank to a map over the square image plane (M3DM features.py; paper sec. 3.4)."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from scipy.ndimage import gaussian_filter1d

Blur: TypeAlias = Literal["gaussian", "pil8"]

_SIGMA = 4  # pixels of the map; the published class ignores its argument and uses 4


def score_map(
    distances: NDArray[np.float32], side: int, size: int = 224, blur: Blur = "gaussian"
) -> NDArray[np.float32]:
    """Upsample (bilinear, align_corners=False) and blur.

    distances: (side * side,) float32, row-major, finite, not negative. Returns (size, size) float32 in the
    same unit. blur: "gaussian" is a true Gaussian of sigma 4; "pil8" is the published one, which first
    rounds the map down to 255 steps of its own maximum and then uses PIL's three box filters. Raises
    ValueError on another length or blur.
    """
    if distances.shape != (side * side,):
        raise ValueError(f"{side} x {side} patches need ({side * side},) distances, not {distances.shape}")
    grid = distances.reshape(side, side)
    if blur == "gaussian":
        rows = _resize_and_blur(side, size)
        return (rows @ grid @ rows.T).astype(np.float32)
    if blur == "pil8":
        return _published(grid, size)
    raise ValueError(f"no blur is called {blur!r}")


@lru_cache(maxsize=8)
def _resize_and_blur(side: int, size: int) -> NDArray[np.float64]:
    """Both steps as one matrix (size, side) per axis: bilinear resizing and the Gaussian are linear and
    separable."""
    position = np.clip((np.arange(size) + 0.5) * side / size - 0.5, 0, None)
    lower = np.minimum(position.astype(np.int64), side - 1)
    upper = np.minimum(lower + 1, side - 1)
    weights = np.zeros((size, side))
    np.add.at(weights, (np.arange(size), lower), 1 - (position - lower))
    np.add.at(weights, (np.arange(size), upper), position - lower)
    return gaussian_filter1d(weights, _SIGMA, axis=0)


def _published(grid: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """The published 8-bit chain. An all-zero map, which it would divide by zero, stays zero."""
    image = torch.nn.functional.interpolate(
        torch.tensor(grid)[None, None], size=(size, size), mode="bilinear", align_corners=False
    )[0, 0].numpy()
    highest = image.max()
    if highest <= 0:
        return np.zeros((size, size), np.float32)
    steps = Image.fromarray((image / highest * 255).astype(np.uint8))
    blurred = np.asarray(steps.filter(ImageFilter.GaussianBlur(_SIGMA)), np.float32)
    return blurred / 255 * highest
