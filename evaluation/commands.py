"""The commands of this room, for `tribank.py` to join with the service's."""

from __future__ import annotations

import typer

from evaluation import data_command
from evaluation.benchmark import bench
from evaluation.build_benchmark import bench_build
from evaluation.demo import demo
from evaluation.demo_parts.command import demo_parts
from evaluation.evaluate_command import evaluate
from evaluation.metrics_command import metrics
from evaluation.report_command import report
from evaluation.serve_benchmark import bench_serve
from evaluation.tables_command import tables


def register(app: typer.Typer) -> None:
    """Add this room's commands."""
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
