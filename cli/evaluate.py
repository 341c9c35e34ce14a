"""`tribank evaluate`: evaluate products with profiles, resumable, as JSON lines, tables and CSV."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cli.options import SensorFile, XyzUnit, words_about_files
from models.weights.folder import DEFAULT_WEIGHTS
from recipes.fusion import MOST_SEED

if TYPE_CHECKING:
    from evaluation.evaluator import Evaluator
    from evaluation.product_evaluation import Evaluation
    from evaluation.run import Run

Data = Annotated[
    Path,
    typer.Argument(help="Product folder or folder of products: train/ and test/, or good/ and defects."),
]
Out = Annotated[Path, typer.Option(help="Folder for results, banks and cached features.")]
Prepared = Annotated[
    bool, typer.Option("--prepared", help="The background is already removed: only resize the parts.")
]
Change = Annotated[
    list[str] | None,
    typer.Option("--set", help="Change a field of every profile, such as coreset=0.05. Repeatable."),
]
Weights = Annotated[Path, typer.Option(help="Directory of network weights.")]
Device = Annotated[str, typer.Option(help="cpu or cuda.")]
CacheDir = Annotated[
    Path | None, typer.Option("--cache", help="Folder for cached features. [default: OUT/features]")
]
CacheGb = Annotated[
    float, typer.Option(min=0, help="Largest size of the cached features on disk, gigabytes.")
]
DEFAULT_OUT = Path("out/evaluation")
errors = Console(stderr=True)


def evaluate(
    data: Data,
    profile: Annotated[
        list[str] | None, typer.Option(help="Profile to evaluate. Repeatable. [default: embedded]")
    ] = None,
    product: Annotated[
        list[str] | None, typer.Option(help="Product to evaluate. Repeatable. [default: all]")
    ] = None,
    out: Out = DEFAULT_OUT,
    seed: Annotated[
        int,
        typer.Option(
            min=0, max=MOST_SEED, help="Seed of the builds and of the parts held out of a good/ folder."
        ),
    ] = 0,
    prepared: Prepared = False,
    change: Change = None,
    xyz_unit: XyzUnit = None,
    sensor: SensorFile = None,
    cache: CacheDir = None,
    cache_gb: CacheGb = 10.0,
    weights_dir: Weights = DEFAULT_WEIGHTS,
    device: Device = "cpu",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON lines instead of tables.")] = False,
) -> None:
    """Build the banks of every product and profile, score the test parts, and print the tables.

    The results are also written to OUT: results.jsonl, results.md and results.csv. Finished results are kept.
    After an interruption, run the same command again to continue.
    """
    from evaluation.run import Run

    words = words_about_files(sensor, xyz_unit)
    with stage_bar() as progress:
        evaluator = open_evaluator(
            data, out, seed, prepared, cache, cache_gb, weights_dir, device, progress, change or (), words
        )
        names = evaluator.chosen(product)
        for note in (note for name in names for note in evaluator.products[name].skipped):
            errors.print(f"skipped: {note}", markup=False)
        runs = [Run(name, recipe, seed) for name in names for recipe in profile or ["embedded"]]
        for run in runs:
            evaluator.check_weights(run)
        finished, failed = run_all(evaluator, runs)
    evaluations = list(finished.values())
    write_results(out, evaluations)
    if as_json:
        for evaluation in evaluations:
            typer.echo(evaluation.to_json())
    else:
        _show(evaluations, out)
    if failed:
        for message in failed.values():
            errors.print(f"Not evaluated: {message}", markup=False, style="red")
        raise typer.Exit(1)


def run_all(evaluator: Evaluator, runs: Sequence[Run]) -> tuple[dict[Run, Evaluation], dict[Run, str]]:
    """Evaluate the runs. Returns the results, and a message for each failed run. A failed run stops no
    other. Raises OutputInUse where another process evaluates into the same folder."""
    from banks.versions.builder import BuildError
    from banks.versions.store import BadBank
    from evaluation.evaluator import NothingToEvaluate
    from evaluation.result_log import alone_in
    from models.training import TrainingFailed

    finished: dict[Run, Evaluation] = {}
    failed: dict[Run, str] = {}
    with alone_in(evaluator.out):
        for number, run in enumerate(runs, start=1):
            try:
                finished[run] = evaluator.evaluate(run)
            except (BadBank, BuildError, NothingToEvaluate, TrainingFailed) as error:
                failed[run] = f"{run.product}: {error}"
            errors.print(f"{number} of {len(runs)}: {run.label}", markup=False, highlight=False)
    return finished, failed


def open_evaluator(
    data: Path,
    out: Path,
    seed: int,
    prepared: bool,
    cache: Path | None,
    cache_gb: float,
    weights_dir: Path,
    device: str,
    progress: Callable[[Run, str, int, int], None],
    changes: Sequence[str] = (),
    declared: Mapping[str, bytes] | None = None,
) -> Evaluator:
    """The evaluator for a command's options, which are the arguments. Raises NotAProductFolder."""
    from evaluation.evaluator import Evaluator
    from evaluation.feature_cache import FeatureCache

    features = FeatureCache(cache or out / "features", int(cache_gb * 1e9))
    return Evaluator(
        data, out, device, weights_dir, prepared, seed, features, progress, changes, declared or {}
    )


@contextmanager
def stage_bar() -> Iterator[Callable[[Run, str, int, int], None]]:
    """One bar on standard error with the current run and stage. Yields the callback for an evaluator."""
    columns = (TextColumn("{task.description:48}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=errors, transient=True) as bars:
        task = bars.add_task("starting", total=None)
        current = ""

        def progress(run: Run, stage: str, done: int, total: int) -> None:
            nonlocal current
            if (name := f"{run.label}: {stage}") != current:
                current = name
                bars.reset(task, description=name, total=total)
            bars.update(task, completed=done)

        yield progress


def write_results(out: Path, evaluations: Sequence[Evaluation]) -> None:
    """Write results.md and results.csv in the folder of results.jsonl."""
    from evaluation.tables.results import result_csv, result_markdown

    (out / "results.md").write_text(result_markdown(evaluations), encoding="utf-8")
    (out / "results.csv").write_text(result_csv(evaluations), encoding="utf-8")


def _show(evaluations: Sequence[Evaluation], out: Path) -> None:
    from evaluation.tables.results import provenance, result_tables

    console = Console()
    for table in result_tables(evaluations):
        console.print(table.rich())
        for note in table.notes:
            console.print(note, markup=False)
    if evaluations:
        console.print(provenance(evaluations), markup=False)
    console.print(f"Also in {out}: results.jsonl, results.md, results.csv.", markup=False, soft_wrap=True)
