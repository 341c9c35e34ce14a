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
_PIXEL_BYTES = 2100  # of what one step keeps for the gradients, for each pixel of each part


def training_plan(
    task: PlanTask, batch: int, run: Callable[[int, int], Training], score: Callable[[], object]
) -> ColumnPlan:
    """The plan of one column.

    batch: parts in a step of the training. run: the training of so many parts in batches of so many parts.
    score: scores the planned part.
    """
    pixels, seen = pixels_of(task.patches), task.seen[task.column]
    parts = max(2, seen // len(task.patches.rows))
    search_ms = median_ms(score)
    timed = run(parts, min(batch, _TIMED_BATCH))
    wanted = run(parts, batch)
    longer = wanted.steps * min(batch, parts) / (timed.steps * min(batch, _TIMED_BATCH, parts))
    network_bytes = sum(one.numel() * one.element_size() for one in timed.network.state_dict().values())
    return ColumnPlan(
        seen=seen,
        rows=0,
        dimension=len(pixels),
        disk_bytes=network_bytes,
        memory_bytes=network_bytes,
        fit_bytes=_STATES * network_bytes + min(batch, parts) * _PIXEL_BYTES * pixels[0].numel(),
        search_ms=search_ms,
        training_s=seconds_of(timed) * longer,
    )


def pictures_of(task: FitTask) -> Sequence[torch.Tensor]:
    """The pictures of the training parts, (C, side, side) float32 each, read one at a time."""
    return LazySequence(
        len(task.parts), lambda number: pixels_of(task.library.patches(task.column, task.parts[number]))
    )
