"""`tribank bench-build`: time and peak memory of making one bank from generated features."""

from __future__ import annotations

import json
import resource
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

if TYPE_CHECKING:
    from banks.feature_store import FeatureStore

_CLUSTERS = 256
_ERRORS = Console(stderr=True)


def bench_build(
    parts: Annotated[int, typer.Option(min=2, help="Training parts.")] = 244,
    width: Annotated[int, typer.Option(min=2, help="Channels of a patch: 1152 point, 1920 fused.")] = 1152,
    side: Annotated[int, typer.Option(min=2, help="Patches along one edge: 56 or 28.")] = 56,
    share: Annotated[float, typer.Option(min=0, max=1, help="Share of patches that are kept.")] = 0.1,
    folder: Annotated[
        Path | None, typer.Option(help="Folder for the features. [default: a temporary folder]")
    ] = None,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Write generated features to disk, then normalise, project and choose the coreset as in a build."""
    from banks.methods.memory_bank.bank import MemoryBank
    from banks.methods.memory_bank.coreset import greedy, project
    from banks.methods.memory_bank.normaliser import Normaliser

    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        store = _generated(Path(scratch), parts, side, width)
        start, clock = time.perf_counter(), time.process_time()
        normaliser = Normaliser.fit(store.patches("point", part).rows.numpy() for part in range(parts))
        rows = store.rows("point", range(parts), normaliser)
        projected = project(rows, seed=0)
        after_projection = time.perf_counter()
        with _bar() as bar:
            task = bar.add_task("coreset", total=None)
            chosen = greedy(
                projected,
                max(1, int(share * len(rows))),
                device=device,
                progress=lambda done, total: bar.update(task, completed=done, total=total),
            )
        bank = MemoryBank.of(rows[chosen], device=device)
        report = {
            "rows": len(rows),
            "width": width,
            "projected_width": projected.shape[1],
            "kept": len(bank),
            "device": device,
            "projection_s": round(after_projection - start, 1),
            "coreset_s": round(time.perf_counter() - after_projection, 1),
            "cpu_s": round(time.process_time() - clock, 1),
            "peak_rss_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 2),
        }
    if as_json:
        typer.echo(json.dumps(report))
        return
    table = Table("quantity", "value")
    for name, value in report.items():
        table.add_row(name, f"{value:,}" if isinstance(value, int | float) else value)
    Console().print(table)


def _generated(folder: Path, parts: int, side: int, width: int) -> FeatureStore:
    """Clustered Gaussian features. A third of the patches is empty, as with a background."""
    import numpy as np
    import torch

    from banks.feature_store import FeatureStore
    from models.features import Patches
    from models.layout import GridLayout

    store = FeatureStore(folder)
    centres = np.random.default_rng(0).standard_normal((_CLUSTERS, width), np.float32)
    with _bar() as bar:
        for part in bar.track(range(parts), description="features"):
            random = np.random.default_rng([1, part])
            rows = centres[random.integers(_CLUSTERS, size=side * side)]
            rows += 0.5 * random.standard_normal(rows.shape, np.float32)
            rows[random.random(side * side) < 1 / 3] = 0
            store.append({"point": Patches(torch.from_numpy(rows), GridLayout(side))})
    return store


def _bar() -> Progress:
    columns = (TextColumn("{task.description:10}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=_ERRORS)
