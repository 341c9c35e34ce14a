"""What PaDiM costs before it is built: bytes, and milliseconds a part on this machine."""

from __future__ import annotations

import torch

from banks.methods.method import ColumnPlan, PlanTask
from banks.methods.padim.axes import Axes, axes_of
from banks.methods.padim.factors import Factors
from banks.methods.timing import median_ms
from recipes.banks import PadimRecipe

_MEASURED = 1 << 26  # bytes of made-up factors: more than a processor caches
_FITTING = 200_000_000  # bytes that the fit takes beside what is kept


def padim_plan(task: PlanTask) -> ColumnPlan:
    """The plan of one column. Only the time of a part is measured, on some places, and scaled by places."""
    recipe, seen = task.profile.recipe(task.column, PadimRecipe), task.seen[task.column]
    places, width = task.patches.rows.shape
    kept = min(width, recipe.channels)
    axes = None if recipe.axes is None else axes_of(seen // places, kept, recipe.axes)
    numbers = kept * kept if axes is None else axes * kept + 2 * (axes + 1)
    size = places * (4 * numbers + 8 * kept) + 8 * kept
    return ColumnPlan(
        seen=seen,
        rows=0,
        dimension=kept,
        disk_bytes=size,
        memory_bytes=size,
        fit_bytes=_FITTING,
        search_ms=_milliseconds(places, kept, axes, task.device),
    )


def _milliseconds(places: int, width: int, axes: int | None, device: str) -> float:
    """To score one part, measured on as many places as `_MEASURED` allows. axes: None for factors."""
    measured = min(places, max(1, _MEASURED // (4 * width * (axes or width))))
    made_up = torch.eye(axes or width, width).repeat(measured, 1, 1)
    mean = torch.zeros(measured, width, dtype=torch.float64)
    ones = torch.ones(measured, axes or width, dtype=torch.float64)
    gaussians = Factors(mean, made_up) if axes is None else Axes(mean, made_up, ones, ones[:, 0])
    gaussians, rows = gaussians.to(device), torch.ones(measured, width, device=device)
    return places / measured * median_ms(lambda: gaussians.distances(rows).cpu())
