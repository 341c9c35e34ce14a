"""What an autoencoder costs before it is trained: bytes, and milliseconds and minutes on this machine."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

from banks.methods.method import ColumnPlan, PlanTask
from models.autoencoder.training import autoencoder_training
from models.picture import pixels_of
from models.training import epoch_steps, seconds_of
from recipes.trained import AutoencoderRecipe

_REPEATS = 3
_TIMED_BATCH = 4
"""Parts in a timed step. The steps of a plan need not be as long as those of the training."""
_STATES = 4  # of each parameter while it is trained: itself, its gradient, two moments of Adam
_PIXEL_BYTES = 2100  # of what one step keeps for the gradients, for each pixel of each part


def autoencoder_plan(task: PlanTask, score: Callable[[], object]) -> ColumnPlan:
    """The plan of one autoencoder. score: scores the planned part."""
    recipe = task.profile.recipe(task.column, AutoencoderRecipe)
    pixels, seen = pixels_of(task.patches), task.seen[task.column]
    parts = max(1, seen // len(task.patches.rows))
    timed = recipe.model_copy(update={"batch": min(recipe.batch, _TIMED_BATCH)})
    run = autoencoder_training([pixels] * parts, timed, 0, task.device)
    steps, batch = recipe.epochs * epoch_steps(parts, recipe.batch), min(recipe.batch, parts)
    parts_ratio = steps * batch / (run.steps * min(timed.batch, parts))
    network_bytes = 4 * sum(tensor.numel() for tensor in run.network.state_dict().values())
    return ColumnPlan(
        seen=seen,
        rows=0,
        dimension=len(pixels),
        disk_bytes=network_bytes,
        memory_bytes=network_bytes,
        fit_bytes=_STATES * network_bytes + batch * _PIXEL_BYTES * pixels[0].numel(),
        search_ms=_milliseconds(score),
        training_s=seconds_of(run) * parts_ratio,
    )


def _milliseconds(score: Callable[[], object]) -> float:
    score()  # the first is slower
    times = []
    for _ in range(_REPEATS):
        start = time.perf_counter()
        score()
        times.append(1000 * (time.perf_counter() - start))
    return median(times)
