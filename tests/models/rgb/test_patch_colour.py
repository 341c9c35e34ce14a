from __future__ import annotations

import pytest
import torch

from models.rgb.patch_colour import COLOUR_CHANNELS, patch_colour


def image(*rgb: float, size: int = 56) -> torch.Tensor:
    return torch.tensor(rgb).view(3, 1, 1).expand(3, size, size).clone()


@pytest.mark.parametrize("size", [56, 60])
def test_a_row_a_patch(size: int) -> None:
    rows = patch_colour(image(0.8, 0.5, 0.2, size=size), 28)
    assert rows.shape == (28 * 28, COLOUR_CHANNELS)
    assert rows.dtype == torch.float32
    wanted = torch.tensor([0.25, 0.3 / 0.6, 0.3 / 0.6, 0, 0, 0])
    torch.testing.assert_close(rows, wanted.expand_as(rows), atol=1e-6, rtol=0)


@pytest.mark.parametrize("grey", [0.0, 0.3, 1.0])
def test_grey_has_no_colour(grey: float) -> None:
    rows = patch_colour(image(grey, grey, grey), 28)
    assert torch.equal(rows[:, 1:3], torch.zeros(784, 2))
    torch.testing.assert_close(rows[:, 0], torch.full((784,), grey / 2))


def test_a_darker_lamp_changes_colour_less_than_lightness() -> None:
    bright, dim = (patch_colour(image(*(level * c for c in (0.8, 0.6, 0.4))), 28)[0] for level in (1.0, 0.9))
    change = (bright - dim).abs()
    assert change[1] < change[0]
    assert change[2] < change[0]


def test_the_patch_that_is_tinted_moves_and_no_other() -> None:
    good = image(0.5, 0.5, 0.5)
    tinted = good.clone()
    tinted[0, 20:22, 40:42] += 0.05
    moved = (patch_colour(tinted, 28) - patch_colour(good, 28)).norm(dim=1)
    assert moved.nonzero().flatten().tolist() == [10 * 28 + 20]


def test_a_texture_spreads() -> None:
    stripes = image(0.5, 0.5, 0.5)
    stripes[:, :, ::2] = 0.7
    assert patch_colour(stripes, 28)[0, 3] == pytest.approx(0.05, abs=1e-6)
