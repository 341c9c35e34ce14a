"""What columns share whose networks are trained: their pictures, and what they cost on this machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from banks.methods.method import ColumnPlan, FitTask, PlanTask
from banks.methods.timing import median_ms
from models.lazy_sequence import LazySequence
from models.picture import pixels_of
from models.training import Training, seconds_of

_TIMED_BATCH = 4
"""Parts in a timed step. The steps of a plan need not be as long as those of the training."""
_STATES = 4  # of each parameter while it is trained: itself, its gradient, two moments of Adam
_PIXEL_BYTES = 2100
"""What one step of an autoencoder or of STFPM keeps for the gradients, for each pixel of each part."""


def training_plan(
    task: PlanTask,
    batch: int,
    runs: Callable[[int, int], Sequence[Training]],
    score: Callable[[], object],
    place_bytes: int = _PIXEL_BYTES,
) -> ColumnPlan:
    """The plan of one column.

    batch: parts in a step of the training. runs: the trainings of so many parts in batches of so many parts,
    which follow each other. score: scores the planned part. place_bytes: of what one step keeps for the
    gradients, for each place of the picture of each part.
    """
    pixels, seen = pixels_of(task.patches), task.seen[task.column]
    parts = max(2, seen // len(task.patches.rows))
    search_ms = median_ms(score)
    timed, wanted = runs(parts, min(batch, _TIMED_BATCH)), runs(parts, batch)
    states = [one for run in timed for one in run.network.state_dict().values()]
    network_bytes = sum(one.numel() * one.element_size() for one in states)
    training_s = 0.0
    for short, whole in zip(timed, wanted, strict=True):
        longer = whole.steps * min(batch, parts) / (short.steps * min(batch, _TIMED_BATCH, parts))
        training_s += seconds_of(short) * longer
    return ColumnPlan(
        seen=seen,
        rows=0,
        dimension=len(pixels),
        disk_bytes=network_bytes,
        memory_bytes=network_bytes,
        fit_bytes=_STATES * network_bytes + min(batch, parts) * place_bytes * pixels[0].numel(),
        search_ms=search_ms,
        training_s=training_s,
    )


def pictures_of(task: FitTask) -> Sequence[torch.Tensor]:
    """The pictures of the training parts, (C, side, side) float32 each, read one at a time."""
    return LazySequence(
        len(task.parts), lambda number: pixels_of(task.library.patches(task.column, task.parts[number]))
    )
