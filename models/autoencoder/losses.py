"""How far a picture is from what an autoencoder made of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch.nn import functional

from recipes.trained import ReconstructionLoss

_WINDOW = 11  # pixels
_SIGMA = 1.5  # pixels
_C1, _C2 = 0.01**2, 0.03**2  # for values in 0..1


def absolute(made: torch.Tensor, picture: torch.Tensor) -> torch.Tensor:
    """The mean absolute difference of all values."""
    return functional.l1_loss(made, picture)


def structural(made: torch.Tensor, picture: torch.Tensor) -> torch.Tensor:
    """1 - mean SSIM (Wang et al. 2004) over channels and windows of 11 x 11 pixels, sigma 1.5.

    made, picture: (N, C, H, W) float32 in about 0..1, H and W at least 11.
    """
    channels = picture.shape[1]
    along = torch.arange(_WINDOW, device=picture.device) - _WINDOW // 2
    bell = torch.exp(-(along**2) / (2 * _SIGMA**2))
    bell = bell / bell.sum()
    window = (bell[:, None] * bell).expand(channels, 1, -1, -1)

    def mean(values: torch.Tensor) -> torch.Tensor:
        return functional.conv2d(values, window, groups=channels)

    of_made, of_picture = mean(made), mean(picture)
    product = of_made * of_picture
    squares = of_made**2 + of_picture**2
    variances = mean(made**2) + mean(picture**2) - squares
    covariance = mean(made * picture) - product
    alike = (2 * product + _C1) * (2 * covariance + _C2) / ((squares + _C1) * (variances + _C2))
    return 1 - alike.mean()


LOSSES: Mapping[ReconstructionLoss, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "l1": absolute,
    "ssim": structural,
}
"""The loss by its name in a profile."""
