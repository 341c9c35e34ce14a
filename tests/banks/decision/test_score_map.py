"""Maps against torch, SciPy and the published PIL chain."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image, ImageFilter
from scipy.ndimage import gaussian_filter

from banks.decision.score_map import score_map
from models.layout import GridLayout, GroupLayout
from recipes.banks import Blur


def upsampled(distances: np.ndarray, side: int, size: int) -> torch.Tensor:
    grid = torch.tensor(distances).view(1, 1, side, side)
    return torch.nn.functional.interpolate(grid, size=(size, size), mode="bilinear", align_corners=False)


@pytest.mark.parametrize(("side", "size"), [(28, 224), (56, 224), (7, 30), (1, 8), (16, 16)])
def test_gaussian_is_interpolation_then_a_true_gaussian(side: int, size: int) -> None:
    distances = np.random.default_rng(side).gamma(4, 1, side * side).astype(np.float32)
    expected = gaussian_filter(upsampled(distances, side, size)[0, 0].double().numpy(), 4)
    got = score_map(distances, GridLayout(side), size)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, expected, rtol=1e-5)


def test_pil8_is_the_published_chain() -> None:
    distances = np.random.default_rng(0).gamma(4, 1, 56 * 56).astype(np.float32)
    image = upsampled(distances, 56, 224)[0, 0]
    highest = image.max()
    steps = Image.fromarray(image.div(highest).mul(255).byte().numpy())
    blurred = torch.tensor(np.asarray(steps.filter(ImageFilter.GaussianBlur(radius=4)))) / 255 * highest
    np.testing.assert_allclose(score_map(distances, GridLayout(56), blur="pil8"), blurred, rtol=1e-6)


@pytest.mark.parametrize("blur", ["gaussian", "pil8"])
def test_group_scores_are_spread_then_blurred_like_patches(blur: Blur) -> None:
    random = np.random.default_rng(1)
    groups = GroupLayout(random.choice(224 * 224, 300, replace=False), 224)
    distances = random.gamma(4, 1, 300).astype(np.float32)
    image = groups.image(distances, 224)
    got = score_map(distances, groups, blur=blur)
    assert got.shape == (224, 224)
    np.testing.assert_allclose(got, gaussian_filter(image, 4), atol=0.05 * image.max())  # PIL's box filters
    if blur == "gaussian":
        np.testing.assert_array_equal(got, gaussian_filter(image, 4))


@pytest.mark.parametrize("blur", ["gaussian", "pil8"])
def test_zero_stays_zero(blur: str) -> None:
    flat = np.zeros(28 * 28, np.float32)
    assert not score_map(flat, GridLayout(28), blur=blur).any()  # pyright: ignore[reportArgumentType]


def test_wrong_input_is_refused() -> None:
    with pytest.raises(ValueError, match="28 x 28"):
        score_map(np.zeros(56 * 56, np.float32), GridLayout(28))
    with pytest.raises(ValueError, match="2 point groups"):
        score_map(np.zeros(3, np.float32), GroupLayout(np.array([0, 9]), 8))
    with pytest.raises(ValueError, match="no blur"):
        score_map(np.zeros(4, np.float32), GridLayout(2), blur="box")  # pyright: ignore[reportArgumentType]
