"""The plain colour of image patches. Networks that were trained to classify objects hardly represent
colour."""

from __future__ import annotations

import torch
from torch.nn import functional

COLOUR_CHANNELS = 6
"""Three means, then three standard deviations within the patch."""
_DARK = 0.1
"""Added to the lightness before colour differences are divided by it, because dark colours are mostly
noise."""
_LIGHTNESS = 0.5
"""Factor of lightness. Lightness changes with lamp and slope; colour differences over lightness do not."""


def patch_colour(image: torch.Tensor, side: int) -> torch.Tensor:
    """Lightness and two colour differences of every patch (our addition to the method).

    image: (3, S, S) float32 RGB in 0..1; S need not be a multiple of `side`. Returns (side * side, 6)
    float32, row-major: the means of lightness, (r - g) / lightness and (g - b) / lightness, then their
    standard deviations. Grey and a removed (black) background have differences of 0. A soft stain or a wrong
    tint changes the differences several times more than good parts vary, but hardly changes ImageNet features
    (docs/results.md).
    """
    planes = colour_planes(image.double())
    mean = functional.adaptive_avg_pool2d(planes, side)
    squares = functional.adaptive_avg_pool2d(planes.square(), side)
    spread = (squares - mean.square()).clamp_min(0).sqrt()
    return torch.cat([mean, spread]).flatten(1).T.float().contiguous()


def colour_planes(image: torch.Tensor) -> torch.Tensor:
    """Lightness, (r - g) / lightness and (g - b) / lightness of every pixel: (3, S, S), of an image of that
    shape in 0..1, in its number type."""
    red, green, blue = image
    light = (red + green + blue) / 3
    divisor = light + _DARK
    return torch.stack([_LIGHTNESS * light, (red - green) / divisor, (green - blue) / divisor])
