"""Pictures of good parts, moved and recoloured at random, so that no network learns them by heart.

The ranges are those of the Eyecandies repository. Ours: the hue is turned in the YIQ plane, and normals turn
with the picture.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch.nn import functional

from models.picture import BACKGROUND

_SHIFT, _SCALE, _TURN = 0.05, 0.1, 45.0  # shares of the side, shares, degrees
_JITTER, _HUE = 0.2, 0.2  # of brightness, contrast, saturation; of a full turn of the hue
_OFTEN = 0.9  # how many of the pictures are changed
_LUMA = (0.299, 0.587, 0.114)
_YIQ = (_LUMA, (0.5959, -0.2746, -0.3213), (0.2115, -0.5227, 0.3112))
_IMAGE = slice(0, 3)
_ACROSS, _DOWN = 4, 5  # channels of a normal's directions


def augmented(pictures: torch.Tensor, draw: np.random.Generator) -> torch.Tensor:
    """Each picture with changes of its own.

    pictures: (N, C, side, side) float32 in 0..1: an image, and in channels 4 to 6, if there are so many,
        normals as colours. draw: gives the same changes on every device.
    Pixels that come from outside the picture are background.
    """
    changed = [_recoloured(_moved(picture, draw), draw) for picture in pictures]
    return torch.stack(changed)


def _moved(picture: torch.Tensor, draw: np.random.Generator) -> torch.Tensor:
    """Turned, scaled and shifted about the middle."""
    often, across, down, scale, turn = draw.uniform(size=5)
    if often >= _OFTEN:
        return picture
    scale, turn = 1 + _spread(scale, _SCALE), math.radians(_spread(turn, _TURN))
    cosine, sine = math.cos(turn), math.sin(turn)
    # affine_grid says where each new pixel comes from: the inverse of the movement. A side is 2 long.
    way = [
        [cosine / scale, -sine / scale, 2 * _spread(across, _SHIFT)],
        [sine / scale, cosine / scale, 2 * _spread(down, _SHIFT)],
    ]
    theta = torch.tensor([way], dtype=picture.dtype, device=picture.device)
    grid = functional.affine_grid(theta, [1, *picture.shape], align_corners=False)
    background = torch.tensor(BACKGROUND[: len(picture)], dtype=picture.dtype, device=picture.device)
    background = background[:, None, None]
    moved = functional.grid_sample((picture - background)[None], grid, align_corners=False)[0]
    if len(moved) > _ACROSS:
        # The picture's content turned by -turn: so do the directions in it, which are 0 in the background.
        x, y = moved[_ACROSS].clone(), moved[_DOWN].clone()
        moved[_ACROSS], moved[_DOWN] = cosine * x + sine * y, cosine * y - sine * x
    return moved + background


def _recoloured(picture: torch.Tensor, draw: np.random.Generator) -> torch.Tensor:
    """With other brightness, contrast, saturation and hue of its image. What is black stays black."""
    often, brightness, contrast, saturation, hue = draw.uniform(size=5)
    if often >= _OFTEN:
        return picture
    image = picture[_IMAGE]
    there = image.any(dim=0)
    image = (image * (1 + _spread(brightness, _JITTER))).clamp(0, 1)
    luma = _luma(image)
    image = (luma.mean() + (image - luma.mean()) * (1 + _spread(contrast, _JITTER))).clamp(0, 1)
    luma = _luma(image)
    image = (luma + (image - luma) * (1 + _spread(saturation, _JITTER))).clamp(0, 1)
    turn = 2 * math.pi * _spread(hue, _HUE)
    to_yiq = torch.tensor(_YIQ, dtype=image.dtype, device=image.device)
    cosine, sine = math.cos(turn), math.sin(turn)
    plane = torch.tensor([[1, 0, 0], [0, cosine, -sine], [0, sine, cosine]], dtype=image.dtype)
    turned = torch.linalg.inv(to_yiq) @ plane.to(image.device) @ to_yiq
    image = torch.einsum("oc,chw->ohw", turned, image).clamp(0, 1)
    return torch.cat([torch.where(there, image, 0), picture[3:]])


def _spread(uniform: float, largest: float) -> float:
    """A number in 0..1 spread over -largest..largest."""
    return (2 * uniform - 1) * largest


def _luma(image: torch.Tensor) -> torch.Tensor:
    weights = torch.tensor(_LUMA, dtype=image.dtype, device=image.device)
    return torch.einsum("c,chw->hw", weights, image)
