"""What PaDiM costs before it is built: bytes, and milliseconds a part on this machine."""

from __future__ import annotations

import time
from statistics import median

import torch

from banks.methods.method import ColumnPlan, PlanTask
from banks.methods.padim.gaussians import Gaussians
from recipes.banks import PadimRecipe

_MEASURED = 1 << 26  # bytes of made-up factors: more than a processor caches
_REPEATS = 3
_FITTING = 200_000_000  # bytes that the fit takes beside what is kept


def padim_plan(task: PlanTask) -> ColumnPlan:
    """The plan of one column. Only the time of a part is measured, on some places, and scaled by places."""
    places, width = task.patches.rows.shape
    kept = min(width, task.profile.recipe(task.column, PadimRecipe).channels)
    size = places * kept * (4 * kept + 8) + 8 * kept
    return ColumnPlan(
        seen=task.seen[task.column],
        rows=0,
        dimension=kept,
        disk_bytes=size,
        memory_bytes=size,
        fit_bytes=_FITTING,
        search_ms=_milliseconds(places, kept, task.device),
    )


def _milliseconds(places: int, width: int, device: str) -> float:
    """To score one part, measured on the factors of as many places as `_MEASURED` allows."""
    measured = min(places, max(1, _MEASURED // (4 * width * width)))
    factor = torch.eye(width).repeat(measured, 1, 1)
    gaussians = Gaussians(torch.zeros(measured, width, dtype=torch.float64), factor).to(device)
    rows = torch.ones(measured, width, device=device)
    times = []
    for _ in range(1 + _REPEATS):  # the first is slower
        start = time.perf_counter()
        gaussians.distances(rows).cpu()
        times.append(1000 * (time.perf_counter() - start))
    return places / measured * median(times[1:])
