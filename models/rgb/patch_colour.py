"""The plain colour of image patches, which networks that were trained to tell things apart hardly look at."""

from __future__ import annotations

import torch
from torch.nn import functional

CHANNELS = 6
"""Mean, then spread within the patch, of the three planes."""
_DARK = 0.1
"""Added to the lightness that colour differences are divided by: dark pixels' colours are mostly noise."""
_LIGHTNESS = 0.5
"""Lightness counts half: it changes with the lamp and the slope, what is left of a colour does not."""


def patch_colour(image: torch.Tensor, side: int) -> torch.Tensor:
    """Lightness and two colour differences of every patch (ours).

    image: (3, S, S) float32 RGB in 0..1, S a multiple of `side` or not. Returns (side * side, 6) float32,
    row-major: the means of lightness, (r - g) / lightness and (g - b) / lightness, then their standard
    deviations. Grey is 0 in both differences, so is a removed (black) background. A soft stain or a wrong
    tint moves them by several times what good parts do, where ImageNet features stay as they were
    (docs/results.md).
    """
    red, green, blue = image.double()
    light = (red + green + blue) / 3
    planes = torch.stack(
        [_LIGHTNESS * light, (red - green) / (light + _DARK), (green - blue) / (light + _DARK)]
    )
    mean = functional.adaptive_avg_pool2d(planes, side)
    squares = functional.adaptive_avg_pool2d(planes.square(), side)
    spread = (squares - mean.square()).clamp_min(0).sqrt()
    return torch.cat([mean, spread]).flatten(1).T.float().contiguous()
