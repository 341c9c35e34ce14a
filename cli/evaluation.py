"""The commands for evaluation and data, which `tribank.py` adds to the commands of `cli.main`."""

from __future__ import annotations

import typer

from cli import data as data_command
from cli.demo import demo
from cli.demo_parts import demo_parts
from cli.evaluate import evaluate
from cli.metrics import metrics
from cli.report import report
from cli.tables import tables
from evaluation.bench.build import bench_build
from evaluation.bench.part import bench
from evaluation.bench.serve import bench_serve


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    app.add_typer(data_command.app, name="data")
    app.command("demo-parts")(demo_parts)
    app.command("demo")(demo)
    app.command("bench")(bench)
    app.command("bench-build")(bench_build)
    app.command("bench-serve")(bench_serve)
    app.command("evaluate")(evaluate)
    app.command("metrics")(metrics)
    app.command("tables")(tables)
    app.command("report")(report)
