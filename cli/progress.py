"""Progress of long work: bars on standard error for people, lines on standard output for programs."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from banks.versions.progress import Progress

EVERY_S = 0.2
"""Shortest time between two lines within a stage, seconds."""

console = Console(stderr=True)


@contextmanager
def stage_bars() -> Iterator[Progress]:
    """One bar per stage: counts, remaining time, and a note such as the loss. Yields the callback."""
    columns = (
        TextColumn("{task.description:24}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    tasks: dict[str, TaskID] = {}
    with Bars(*columns, console=console) as bars:

        def progress(stage: str, done: int, total: int, note: str = "", /) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total, note=note)
            bars.update(tasks[stage], completed=done, total=total, note=note)

        yield progress


@contextmanager
def step_lines() -> Iterator[Progress]:
    """JSON lines with stage, done, total and note: at most one per EVERY_S, and one at the end of each stage.

    Yields the callback.
    """
    last = float("-inf")

    def progress(stage: str, done: int, total: int, note: str = "", /) -> None:
        nonlocal last
        if done < total and time.monotonic() - last < EVERY_S:
            return
        last = time.monotonic()
        typer.echo(json.dumps({"stage": stage, "done": done, "total": total, "note": note}))

    yield progress
