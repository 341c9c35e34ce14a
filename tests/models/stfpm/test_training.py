"""A student learns what its teacher sees in good parts; parts that only judge choose the epoch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from models.stfpm.pyramid import student_of, teacher_of
from models.stfpm.training import stfpm_training
from models.training import Training, train
from models.weights.store import WeightStore
from recipes.trained import StfpmRecipe

LITE = "efficientnet_lite1"
RECIPE = StfpmRecipe(epochs=5, batch=4)


def pictures(count: int) -> Sequence[torch.Tensor]:
    draw = torch.Generator().manual_seed(0)
    plain = torch.rand(3, 32, 32, generator=draw)
    return [(plain + 0.1 * torch.rand(3, 32, 32, generator=draw)).clamp(0, 1) for _ in range(count)]


def run_of(count: int, recipe: StfpmRecipe = RECIPE) -> Training:
    teacher = teacher_of(LITE, recipe.stages, WeightStore().load(LITE), "cpu")
    student = student_of(LITE, recipe.stages, 0, "cpu")
    return stfpm_training(pictures(count), recipe, teacher, student, 0)


def test_the_loss_falls_and_the_lowest_map_is_kept(tmp_path: Path) -> None:
    run = run_of(10)
    assert (run.steps, run.judge_every) == (10, 2), "eight parts learn in batches of four, two judge"
    losses: list[float] = []
    judge = run.judge
    assert judge is not None
    before = judge()
    assert run.network.training, "judging does not end the training"
    train(run, tmp_path, lambda done, total, loss: losses.append(loss))
    assert losses[-1] < 0.6 * losses[0]
    assert judge() < before
    assert losses[0] <= 12, "three maps, each at most 4"


def test_two_parts_are_one_that_learns_and_one_that_judges() -> None:
    run = run_of(2)
    assert run.steps == 5
    with pytest.raises(ValueError, match="two parts"):
        run_of(1)
