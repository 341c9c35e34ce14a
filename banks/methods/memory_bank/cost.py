"""What a memory bank costs before it is built: rows, bytes, and milliseconds a part on this machine."""

from __future__ import annotations

import numpy as np

from banks.methods.memory_bank import bounds
from banks.methods.memory_bank.bank import MemoryBank
from banks.methods.memory_bank.coreset import projected_width
from banks.methods.method import ColumnPlan, PlanTask
from banks.methods.timing import median_ms
from recipes.banks import BankRecipe

_MEASURED_ROWS = 4096
_ROW_ORIGIN = 3 * 4  # provenance: three int32 a row
_CHOOSING = 100_000_000  # bytes that the greedy choice of rows takes beside its library


def memory_bank_plan(task: PlanTask) -> ColumnPlan:
    """The plan of one memory bank. Only the time of the search is measured, and scaled by rows."""
    profile, name = task.profile, task.column
    seen, width = task.seen[name], task.patches.rows.shape[1]
    rows = profile.kept(task.seen)[name] + (profile.zero_row and name == "point")
    value = 2 if profile.precision == "float16" else 4
    scale = 4 if profile.recipe(name, BankRecipe).local_scale else 0
    library = seen * projected_width(seen, width, profile.coreset_eps) * 4
    return ColumnPlan(
        seen=seen,
        rows=rows,
        dimension=width,
        disk_bytes=rows * (width * value + _ROW_ORIGIN + scale),
        memory_bytes=rows * width * 4 + (bounds.memory_bytes(rows, width) if task.device == "cpu" else 0),
        fit_bytes=_CHOOSING + library if rows < seen else 0,
        search_ms=_search_ms(task, rows),
    )


def _search_ms(task: PlanTask, rows: int) -> float:
    """Milliseconds to score one part against a number of rows, measured on at most `_MEASURED_ROWS` rows."""
    queries, profile = task.patches.rows, task.profile
    measured = min(rows, _MEASURED_ROWS)
    made_up = np.random.default_rng(0).standard_normal((measured, queries.shape[1]), dtype=np.float32)
    bank = MemoryBank.of(made_up, device=task.device, precision=profile.precision)
    taken, reweighting = bank.take(queries), profile.recipe(task.column, BankRecipe).reweighting
    return rows / measured * median_ms(lambda: bank.score(taken, reweighting))
