"""Training a student to see good parts as its teacher does."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import torch

from models.stfpm.pyramid import Pyramid, differences, joined
from models.training import Training, epoch_steps, parts_of_step
from recipes.trained import StfpmRecipe

_JUDGING = 2  # a stream of random numbers of its own, beside that of the order


def stfpm_training(
    pictures: Sequence[torch.Tensor],
    recipe: StfpmRecipe,
    teacher: Pyramid,
    student: Pyramid,
    seed: int,
) -> Training:
    """The run that trains a student.

    pictures: (3, side, side) float32 in 0..1, one a part; read when a step needs them. A part of them
        (`recipe.judging`) only judges: after every epoch the student whose map of them is lowest is kept.
    student: with drawn weights, on the device of the teacher.
    seed: of the parts that judge and of the order of the others.
    Raises ValueError with fewer than two pictures.
    """
    if len(pictures) < 2:
        raise ValueError("training a student needs at least two parts: one of them judges")
    device = teacher.mean.device
    order = np.random.default_rng([seed, _JUDGING]).permutation(len(pictures)).tolist()
    judges = max(1, round(recipe.judging * len(pictures)))
    judging, learned = order[:judges], order[judges:]
    student.train()

    def maps_of(parts: Sequence[int]) -> list[torch.Tensor]:
        batch = torch.stack([pictures[part] for part in parts]).to(device)
        with torch.no_grad():
            expected = teacher(batch)
        return differences(expected, student(batch))

    def loss(step: int) -> torch.Tensor:
        chosen = parts_of_step(step, len(learned), recipe.batch, seed)
        maps = maps_of([learned[part] for part in chosen])
        return torch.stack([one.mean() for one in maps]).sum()

    @torch.no_grad()
    def judge() -> float:
        student.eval()
        means = [joined(maps_of([part])).mean().item() for part in judging]
        student.train()
        return sum(means) / len(means)

    epoch = epoch_steps(len(learned), recipe.batch)
    facts = recipe.model_dump(exclude={"checkpoint_every"}) | {"seed": seed, "parts": len(pictures)}
    return Training(
        network=student,
        optimizer=torch.optim.SGD(
            student.parameters(), lr=recipe.rate, momentum=recipe.momentum, weight_decay=recipe.decay
        ),
        steps=recipe.epochs * epoch,
        loss=loss,
        checkpoint_every=recipe.checkpoint_every,
        facts=json.dumps(facts | {"side": pictures[0].shape[-1]}),
        judge=judge,
        judge_every=epoch,
    )
