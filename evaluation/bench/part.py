"""`tribank bench`: time of a part on this machine, stage by stage, beside what this machine allows."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console
from rich.table import Table

from models.weights.folder import DEFAULT_WEIGHTS
from recipes.places import DEFAULT_BANKS

if TYPE_CHECKING:
    from banks.detector import Detector, PartResult
    from models.sample import Sample


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
    rows: Annotated[
        str | None,
        typer.Option(
            help="Rows of each bank, generated where the version has fewer: a number, or 'bagel' for what "
            "the profile keeps of MVTec 3D-AD's bagel."
        ),
    ] = None,
    versus: Annotated[
        Literal["published"] | None,
        typer.Option(help="Score each part a second time, as M3DM's published code computes it."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Measure the time from file bytes to decision for single parts, one after the other.

    On a CPU, each stage stands beside its floor: the operations and bytes that it needs over the rates that
    were measured in the same run.
    """
    from banks.detector import Detector
    from banks.versions.store import BankStore
    from evaluation.bench.busy import beside
    from evaluation.bench.environment import commit, processor
    from evaluation.bench.floors import Rates, beside_floors, floors
    from evaluation.bench.published import NotPublished
    from evaluation.bench.rows import NoRows
    from evaluation.bench.spread import spread
    from evaluation.bench.versus import Versus
    from models.numerics.process import decided, use_threads
    from models.readers import read_part
    from models.readers.product_folder import open_product_folder

    if threads:
        use_threads(threads)
    if versus and device != "cpu":
        raise typer.BadParameter("the published computation is measured on a CPU", param_hint="--versus")
    detector = Detector.load(BankStore(banks).path(product), device=device, weights_dir=weights_dir)
    folder = open_product_folder(data)
    encoded = [
        {**part.declared, **{field: file.read_bytes() for field, file in part.files.items()}}
        for part in (folder.test or folder.train)
    ]
    sample = read_part(encoded[0], detector.manifest.sensor)
    load = os.getloadavg()[0]
    try:
        if rows is not None:
            detector = _with_rows(detector, sample, rows)
        other = Versus(detector, weights_dir) if versus else None
    except (NoRows, NotPublished) as error:
        raise typer.BadParameter(str(error)) from error
    detector.warm_up()
    rates, speed = Rates.measured(), _matrix_speed()
    stages: dict[str, list[float]] = {}
    processor_ms: list[float] = []
    if other is not None:
        other.warm_up(_timed(detector, encoded[0])[1])
    with beside(busy):
        for number in range(repeats):
            start = time.process_time()
            milliseconds, result = _timed(detector, encoded[number % len(encoded)])
            processor_ms.append(1000 * (time.process_time() - start))
            for stage, took in milliseconds.items():
                stages.setdefault(stage, []).append(took)
            if other is not None:
                other.score(result)
    spreads = {stage: spread(times) for stage, times in stages.items()}
    report: dict[str, Any] = {
        "commit": commit(),
        "product": product,
        "bank_version": detector.version,
        "profile": detector.manifest.profile.name,
        "training_parts": len(detector.manifest.training_parts),
        "rows": {name: getattr(column, "rows", None) for name, column in detector.columns.columns.items()},
        "parts": repeats,
        "hardware": {"cpu": processor(), "device": device},
        "numerics": asdict(decided()),
        "load_average": load,
        "busy_processes": busy,
        "sgemm_gflops": speed,
        "p50_times_sgemm": speed * spreads["total"]["p50"],
        "rates": asdict(rates),
        "ms": spreads,
        "each_total_ms": stages["total"],
        "processor_ms": spread(processor_ms),
        "floors": {},
        "versus": None if other is None else other.report(),
    }
    if device == "cpu":
        prepared, features, _ = detector.pipeline(sample)
        extraction = detector.manifest.profile.extraction
        found = floors(rates, extraction, sample, prepared, features, detector.columns)
        report["floors"] = beside_floors(spreads, found)
    if as_json:
        typer.echo(json.dumps(report, indent=1))
    else:
        _print(report)


def _print(report: Mapping[str, Any]) -> None:
    """The report as tables and sentences."""
    console, rates = Console(), report["rates"]
    columns = ("stage", "p50 ms", "p90 ms", "max ms", "floor ms", "p50 / floor")
    table = Table(*columns, title=f"{report['product']} {report['bank_version']}")
    for stage, took in report["ms"].items():
        floor = report["floors"].get(stage)
        least = (f"{floor['ms']:.1f}", f"{floor['ratio']:.1f}") if floor else ("", "")
        table.add_row(stage, *(f"{took[name]:.1f}" for name in ("p50", "p90", "max")), *least)
    console.print(table)
    if (versus := report["versus"]) is not None:
        columns = ("stage", "Tribank p50 ms", "published p50 ms", "published / Tribank")
        table = Table(*columns, title="From the prepared part to the decision")
        for stage, took in versus["published_ms"].items():
            ours, theirs = versus["tribank_ms"][stage]["p50"], took["p50"]
            table.add_row(stage, f"{ours:.1f}", f"{theirs:.1f}", f"{theirs / ours:.1f}")
        console.print(table)
        console.print(f"The scores differ by at most {versus['largest_score_difference']:.1e} of themselves.")
    console.print(
        f"A part takes {report['processor_ms']['p50']:.0f} ms of processor time, all threads together, which "
        "other work on the machine hardly changes."
    )
    hardware, threads = report["hardware"], report["numerics"]["threads"]
    console.print(
        f"{report['parts']} parts, {hardware['cpu']}, {threads} threads, {hardware['device']}, load average "
        f"{report['load_average']:.1f}; this machine multiplies float32 matrices at "
        f"{report['sgemm_gflops']:.0f} GFLOP/s, {rates['networks']:.0f} for networks and "
        f"{rates['search']:.0f} in a search, and copies {rates['copy']:.0f} GB/s"
    )


def _with_rows(detector: Detector, sample: Sample, rows: str) -> Detector:
    """The version with banks of another size. rows: the option. sample: any part of the product.

    Raises NoRows; BadParameter for an option that is no size.
    """
    from evaluation.bench.rows import BAGEL, resized, rows_after

    _, features, _ = detector.pipeline(sample)
    if rows == "bagel":
        patches = {name: len(patches.layout) for name, patches in features.items()}
        sizes = rows_after(detector.manifest.profile, patches, BAGEL)
    elif rows.isdecimal() and int(rows) > 0:
        sizes = dict.fromkeys(detector.columns.columns, int(rows))
    else:
        raise typer.BadParameter(f"--rows takes a number above 0 or 'bagel', not {rows!r}")
    return detector.with_columns(resized(detector.columns, sizes))


def _timed(detector: Detector, fields: Mapping[str, bytes]) -> tuple[dict[str, float], PartResult]:
    """Score one part. Returns milliseconds by stage, and the result. Raises BadSample."""
    from models.readers import read_part
    from models.sample import BadSample

    start = time.perf_counter()
    sample = read_part(fields, detector.manifest.sensor)
    decode = 1000 * (time.perf_counter() - start)
    (result,) = detector.score([sample])
    total = 1000 * (time.perf_counter() - start)
    if isinstance(result, BadSample):
        raise result
    return {"decode": decode, **result.timings_ms, "total": total}, result


def _matrix_speed() -> float:
    """Speed of the fastest of five float32 matrix products, GFLOP/s."""
    import numpy as np

    from models.numerics.process import blas_threads, threads_in_use

    side = 1536
    left = np.ones((side, side), np.float32)
    best = np.inf
    with blas_threads(threads_in_use()):  # scoring leaves NumPy one thread
        for _ in range(5):
            start = time.perf_counter()
            np.matmul(left, left)
            best = min(best, time.perf_counter() - start)
    return 2e-9 * side**3 / best
