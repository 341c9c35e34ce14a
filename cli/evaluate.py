"""`tribank evaluate`: products times profiles, resumable, as JSON lines, tables and CSV."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from models.weights.folder import DEFAULT_WEIGHTS

if TYPE_CHECKING:
    from evaluation.evaluator import Evaluator
    from evaluation.product_evaluation import Evaluation
    from evaluation.run import Run

Data = Annotated[
    Path,
    typer.Argument(help="A product or a folder of products: train/ and test/, or good/ and defect folders."),
]
Out = Annotated[Path, typer.Option(help="Folder for results, banks and cached features.")]
Prepared = Annotated[
    bool, typer.Option("--prepared", help="The background is out already: only resize the parts.")
]
Change = Annotated[
    list[str] | None,
    typer.Option("--set", help="Change a field of every profile, such as coreset=0.05; repeat for more."),
]
Weights = Annotated[Path, typer.Option(help="Directory of network weights.")]
Device = Annotated[str, typer.Option(help="cpu or cuda.")]
CacheDir = Annotated[
    Path | None, typer.Option("--cache", help="Folder of extracted features. [default: OUT/features]")
]
CacheGb = Annotated[
    float, typer.Option(min=0, help="Most that extracted features may take on disk, gigabytes.")
]
DEFAULT_OUT = Path("out/evaluation")
errors = Console(stderr=True)


def evaluate(
    data: Data,
    profile: Annotated[
        list[str] | None, typer.Option(help="Recipe to evaluate; repeat for several. [default: embedded]")
    ] = None,
    product: Annotated[
        list[str] | None, typer.Option(help="Product to evaluate; repeat for several. [default: all]")
    ] = None,
    out: Out = DEFAULT_OUT,
    seed: Annotated[int, typer.Option(help="Of the builds, and of what is held out of a good/ folder.")] = 0,
    prepared: Prepared = False,
    change: Change = None,
    cache: CacheDir = None,
    cache_gb: CacheGb = 10.0,
    weights_dir: Weights = DEFAULT_WEIGHTS,
    device: Device = "cpu",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON lines instead of tables.")] = False,
) -> None:
    """Build the banks of every product and profile, score the test parts, print the tables.

    OUT gets results.jsonl, results.md and results.csv. What is finished there is kept: run the same command
    again to go on after an interruption.
    """
    from evaluation.evaluator import NothingToEvaluate
    from evaluation.run import Run

    with stage_bar() as told:
        evaluator = open_evaluator(
            data, out, seed, prepared, cache, cache_gb, weights_dir, device, told, change or ()
        )
        names = [name for name in evaluator.products if not product or name in product]
        if not names:
            raise NothingToEvaluate(f"{data} has no such product; it has {', '.join(evaluator.products)}.")
        for note in (note for name in names for note in evaluator.products[name].skipped):
            errors.print(f"left out: {note}", markup=False)
        runs = [Run(name, recipe, seed) for name in names for recipe in profile or ["embedded"]]
        for run in runs:
            evaluator.check_weights(run)
        finished, failed = run_all(evaluator, runs)
    evaluations = list(finished.values())
    write_results(out, evaluations)
    if as_json:
        for one in evaluations:
            typer.echo(one.to_json())
    else:
        _show(evaluations, out)
    if failed:
        for sentence in failed.values():
            errors.print(f"Not evaluated: {sentence}", markup=False, style="red")
        raise typer.Exit(1)


def run_all(evaluator: Evaluator, runs: Sequence[Run]) -> tuple[dict[Run, Evaluation], dict[Run, str]]:
    """Every run's result, and a sentence for every run that cannot be: one bad product stops no other."""
    from banks.versions.builder import BuildError
    from evaluation.evaluator import NothingToEvaluate

    finished: dict[Run, Evaluation] = {}
    failed: dict[Run, str] = {}
    for number, run in enumerate(runs, start=1):
        try:
            finished[run] = evaluator.evaluate(run)
        except (BuildError, NothingToEvaluate) as error:
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
    told: Callable[[Run, str, int, int], None],
    changes: Sequence[str] = (),
) -> Evaluator:
    """The evaluator that a command's options describe. Raises NotAProductFolder."""
    from evaluation.evaluator import Evaluator
    from evaluation.feature_cache import FeatureCache

    features = FeatureCache(cache or out / "features", int(cache_gb * 1e9))
    return Evaluator(data, out, device, weights_dir, prepared, seed, features, told, changes)


@contextmanager
def stage_bar() -> Iterator[Callable[[Run, str, int, int], None]]:
    """One bar on standard error that tells which stage of which run is under way."""
    columns = (TextColumn("{task.description:48}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=errors, transient=True) as bars:
        task = bars.add_task("starting", total=None)
        under_way = ""

        def told(run: Run, stage: str, done: int, total: int) -> None:
            nonlocal under_way
            if (name := f"{run.label}: {stage}") != under_way:
                under_way = name
                bars.reset(task, description=name, total=total)
            bars.update(task, completed=done)

        yield told


def write_results(out: Path, evaluations: Sequence[Evaluation]) -> None:
    """Write results.md and results.csv beside the JSON lines."""
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
