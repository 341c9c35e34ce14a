"""`tribank bench`: time of a part on this machine, stage by stage, beside what this machine allows."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from models.weights.folder import DEFAULT_WEIGHTS
from recipes.places import DEFAULT_BANKS

if TYPE_CHECKING:
    from banks.detector import Detector


def bench(
    product: Annotated[str, typer.Argument(help="A product with banks.")],
    data: Annotated[
        Path, typer.Argument(help="Product folder. Test parts are scored, or else training parts.")
    ],
    banks: Annotated[Path, typer.Option(help="Folder of the bank versions.")] = DEFAULT_BANKS,
    repeats: Annotated[int, typer.Option(min=1, help="Number of timed parts, after a warm-up.")] = 40,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads. [default: all]")] = None,
    weights_dir: Annotated[Path, typer.Option(help="Folder of network weights.")] = DEFAULT_WEIGHTS,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    busy: Annotated[
        int, typer.Option("--beside", min=0, help="Busy processes that run beside the timed parts.")
    ] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Measure the time from file bytes to decision for single parts, one after the other.

    On a CPU, each stage stands beside its floor: the operations and bytes that it needs over the rates that
    were measured in the same run.
    """
    from banks.detector import Detector
    from banks.versions.store import BankStore
    from evaluation.bench.busy import beside
    from evaluation.bench.environment import processor
    from evaluation.bench.floors import Rates, beside_floors, floors
    from models.numerics.process import decided, use_threads
    from models.readers import read_part
    from models.readers.product_folder import open_product_folder

    if threads:
        use_threads(threads)
    detector = Detector.load(BankStore(banks).path(product), device=device, weights_dir=weights_dir)
    folder = open_product_folder(data)
    encoded = [
        {**part.declared, **{field: file.read_bytes() for field, file in part.files.items()}}
        for part in (folder.test or folder.train)
    ]
    detector.warm_up()
    rates, speed = Rates.measured(), _matrix_speed()
    stages: dict[str, list[float]] = {}
    processor_ms: list[float] = []
    with beside(busy):
        for number in range(repeats):
            start = time.process_time()
            for stage, milliseconds in _timed(detector, encoded[number % len(encoded)]).items():
                stages.setdefault(stage, []).append(milliseconds)
            processor_ms.append(1000 * (time.process_time() - start))
    numerics = decided()
    spreads = {stage: _quantiles(times) for stage, times in stages.items()}
    report = {
        "product": product,
        "bank_version": detector.version,
        "profile": detector.manifest.profile.name,
        "training_parts": len(detector.manifest.training_parts),
        "parts": repeats,
        "hardware": {"cpu": processor(), "device": device},
        "numerics": asdict(numerics),
        "busy_processes": busy,
        "sgemm_gflops": speed,
        "p50_times_sgemm": speed * spreads["total"]["p50"],
        "rates": asdict(rates),
        "ms": spreads,
        "processor_ms": _quantiles(processor_ms),
        "floors": {},
    }
    if device == "cpu":
        sample = read_part(encoded[0], detector.manifest.sensor)
        prepared, features, _ = detector.pipeline(sample)
        extraction = detector.manifest.profile.extraction
        found = floors(rates, extraction, sample, prepared, features, detector.columns)
        report["floors"] = beside_floors(spreads, found)
    if as_json:
        typer.echo(json.dumps(report, indent=1))
        return
    columns = ("stage", "p50 ms", "p90 ms", "max ms", "floor ms", "p50 / floor")
    table = Table(*columns, title=f"{product} {detector.version}")
    for stage, spread in spreads.items():
        floor = report["floors"].get(stage)
        least = (f"{floor['ms']:.1f}", f"{floor['ratio']:.1f}") if floor else ("", "")
        table.add_row(stage, *(f"{spread[name]:.1f}" for name in ("p50", "p90", "max")), *least)
    Console().print(table)
    hardware = report["hardware"]
    Console().print(
        f"A part takes {report['processor_ms']['p50']:.0f} ms of processor time, all threads together, which "
        "other work on the machine hardly changes."
    )
    Console().print(
        f"{repeats} parts, {hardware['cpu']}, {numerics.threads} threads, {device}; this machine"
        f" multiplies float32 matrices at {speed:.0f} GFLOP/s, {rates.networks:.0f} for networks and"
        f" {rates.search:.0f} in a search, and copies {rates.copy:.0f} GB/s"
    )


def _timed(detector: Detector, fields: Mapping[str, bytes]) -> dict[str, float]:
    """Score one part. Returns milliseconds by stage. Raises BadSample."""
    from models.readers import read_part
    from models.sample import BadSample

    start = time.perf_counter()
    sample = read_part(fields, detector.manifest.sensor)
    decode = 1000 * (time.perf_counter() - start)
    (result,) = detector.score([sample])
    total = 1000 * (time.perf_counter() - start)
    if isinstance(result, BadSample):
        raise result
    return {"decode": decode, **result.timings_ms, "total": total}


def _quantiles(times: Sequence[float]) -> dict[str, float]:
    import numpy as np

    p50, p90 = np.quantile(times, [0.5, 0.9])
    return {"p50": float(p50), "p90": float(p90), "max": max(times)}


def _matrix_speed() -> float:
    """Speed of the fastest of five float32 matrix products, GFLOP/s."""
    import numpy as np

    side = 1536
    left = np.ones((side, side), np.float32)
    best = np.inf
    for _ in range(5):
        start = time.perf_counter()
        np.matmul(left, left)
        best = min(best, time.perf_counter() - start)
    return 2e-9 * side**3 / best
