"""A small autoencoder learns ten parts by heart."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from models.autoencoder.training import autoencoder_training
from models.training import train
from recipes.trained import AutoencoderRecipe

SIDE = 16


def pictures(count: int = 10) -> Sequence[torch.Tensor]:
    """Discs of different places, sizes and colours."""
    draw = np.random.default_rng(0)
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    found = []
    for _ in range(count):
        row, column, radius = draw.uniform([5, 5, 3], [11, 11, 6])
        inside = np.hypot(y - row, x - column) < radius
        found.append(torch.tensor(inside * draw.uniform(0.2, 1, (3, 1, 1)), dtype=torch.float32))
    return found


def losses(folder: Path, recipe: AutoencoderRecipe) -> list[float]:
    seen: list[float] = []
    run = autoencoder_training(pictures(), recipe, 0, "cpu")
    train(run, folder, lambda done, total, loss: seen.append(loss))
    return seen


def test_ten_parts_are_learned_by_heart(tmp_path: Path) -> None:
    recipe = AutoencoderRecipe(epochs=40, batch=10, augmented=False, checkpoint_every=40)
    seen = losses(tmp_path, recipe)
    assert len(seen) == 40
    assert seen[0] > 0.3
    assert seen[-1] < 0.1


def test_the_schedule_follows_parts_and_batch_and_changes_follow_the_seed(tmp_path: Path) -> None:
    recipe = AutoencoderRecipe(epochs=2, batch=4)
    run = autoencoder_training(pictures(), recipe, 0, "cpu")
    assert run.steps == 4, "two epochs of ten parts"
    assert run.loss(1).item() == pytest.approx(run.loss(1).item(), rel=1e-6)
    assert run.loss(1).item() != pytest.approx(run.loss(2).item(), rel=1e-3)
    other = autoencoder_training(pictures(), recipe.model_copy(update={"loss": "ssim"}), 0, "cpu")
    assert other.facts != run.facts
    assert 0 < other.loss(0).item() < 2
