"""Changed pictures: within their ranges, the same for the same draw, with normals that turn along."""

from __future__ import annotations

import numpy as np
import torch

from models.autoencoder.augmentation import augmented

SIDE = 32


def changed(pictures: torch.Tensor, seed: int) -> torch.Tensor:
    return augmented(pictures, np.random.default_rng(seed))


def test_the_same_draw_gives_the_same_pictures() -> None:
    pictures = torch.rand(3, 7, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    one, again, other = changed(pictures, 1), changed(pictures, 1), changed(pictures, 2)
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    assert 0 <= one[:, :4].min() < one[:, :4].max() <= 1
    assert not torch.equal(one[0] - pictures[0], one[1] - pictures[1]), "each has its own changes"


def test_some_pictures_stay_as_they_are_and_the_background_stays_black() -> None:
    pictures = torch.zeros(400, 3, SIDE, SIDE)
    pictures[:, :, 12:20, 12:20] = torch.tensor([0.2, 0.4, 0.6])[:, None, None]
    seen = changed(pictures, 0)
    same = sum(torch.equal(one, pictures[0]) for one in seen)
    assert 0 < same < 20, "both kinds of change happen to nine of ten"
    assert not seen[:, :, 0, 0].any()


def test_what_turns_is_turned_with_its_normals() -> None:
    """A ball's normals point away from its middle, however the picture is turned about the middle."""
    y, x = (torch.arange(SIDE) - (SIDE - 1) / 2).unsqueeze(1), torch.arange(SIDE) - (SIDE - 1) / 2
    away = torch.stack([x.expand(SIDE, SIDE), y.expand(SIDE, SIDE)]) / SIDE
    picture = torch.full((1, 7, SIDE, SIDE), 0.5)
    picture[0, 4:6] = (away + 1) / 2
    moved = 0
    for seed in range(10):
        seen = changed(picture, seed)[0]
        inside = (slice(None), slice(10, 22), slice(10, 22))
        direction, found = away[inside], 2 * seen[4:6][inside] - 1
        difference = found - direction * (found * direction).sum() / direction.square().sum()
        difference -= difference.mean(dim=(1, 2), keepdim=True)  # the shift
        assert difference.abs().max() < 0.01
        moved += not torch.equal(seen[4:], picture[0, 4:])
    assert moved >= 7
