"""SSIM against a plain form of its formula, window by window."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from models.autoencoder.losses import LOSSES


def plain_ssim(one: NDArray[np.float64], two: NDArray[np.float64]) -> float:
    """Mean over all windows of 11 x 11 pixels that lie inside."""
    bell = np.exp(-((np.arange(11) - 5) ** 2) / (2 * 1.5**2))
    window = np.outer(bell, bell) / bell.sum() ** 2
    found = []
    for row in range(one.shape[0] - 10):
        for column in range(one.shape[1] - 10):
            a, b = (of[row : row + 11, column : column + 11] for of in (one, two))
            mean_a, mean_b = (window * a).sum(), (window * b).sum()
            variance_a, variance_b = (window * (a - mean_a) ** 2).sum(), (window * (b - mean_b) ** 2).sum()
            covariance = (window * (a - mean_a) * (b - mean_b)).sum()
            top = (2 * mean_a * mean_b + 1e-4) * (2 * covariance + 9e-4)
            found.append(top / ((mean_a**2 + mean_b**2 + 1e-4) * (variance_a + variance_b + 9e-4)))
    return float(np.mean(found))


def test_the_structural_loss_is_its_formula() -> None:
    draw = np.random.default_rng(3)
    one, two = draw.uniform(size=(2, 2, 14, 16))
    expected = 1 - np.mean([plain_ssim(a, b) for a, b in zip(one, two, strict=True)])
    found = LOSSES["ssim"](torch.tensor(one[None]).float(), torch.tensor(two[None]).float())
    assert found.item() == pytest.approx(expected, abs=1e-5)


def test_equal_pictures_have_no_loss() -> None:
    picture = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    for loss in LOSSES.values():
        assert loss(picture, picture).item() == pytest.approx(0, abs=1e-6)
        assert loss(picture, 1 - picture).item() > 0.3
