"""`tribank evaluate`: products times profiles, resumable, as JSON lines and a table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from models.weight_folder import DEFAULT_WEIGHTS

if TYPE_CHECKING:
    from evaluation.product_evaluation import Evaluation

_errors = Console(stderr=True)


class NothingToEvaluate(ValueError):
    """No product folder was found."""


def evaluate(
    data: Annotated[Path, typer.Argument(help="A folder of products, each in the MVTec 3D-AD layout.")],
    profile: Annotated[
        list[str] | None, typer.Option(help="Recipe to evaluate; repeat for several. [default: embedded]")
    ] = None,
    product: Annotated[
        list[str] | None, typer.Option(help="Product to evaluate; repeat for several. [default: all]")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the banks and results.jsonl.")] = Path(
        "out/evaluation"
    ),
    seed: Annotated[int, typer.Option(help="Of the builds.")] = 0,
    weights_dir: Annotated[Path, typer.Option(help="Directory of network weights.")] = DEFAULT_WEIGHTS,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    as_json: Annotated[bool, typer.Option("--json", help="Print the JSON lines instead of tables.")] = False,
) -> None:
    """Build the banks of every product and profile, score the test parts, print the tables.

    What is already in OUT is kept: run the same command again to go on after an interruption.
    """
    from evaluation.product_evaluation import Evaluation

    folders = [path for path in sorted(data.iterdir()) if (path / "train").is_dir()]
    folders = [path for path in folders if not product or path.name in product]
    if not folders:
        raise NothingToEvaluate(f"{data} holds no product folder (one with train/good and test/ inside).")
    out.mkdir(parents=True, exist_ok=True)
    results = out / "results.jsonl"
    lines = results.read_text().splitlines() if results.exists() else []
    known = {(e.profile, e.product): e for e in map(Evaluation.from_json, lines)}
    wanted = [(name, folder) for name in profile or ["embedded"] for folder in folders]
    for name, folder in wanted:
        if (name, folder.name) not in known:
            found = _evaluate_one(name, folder, out / "banks" / name, seed, weights_dir, device)
            known[name, folder.name] = found
            with results.open("a") as file:
                file.write(found.to_json() + "\n")
    evaluations = [known[name, folder.name] for name, folder in wanted]
    if as_json:
        for evaluation in evaluations:
            typer.echo(evaluation.to_json())
        return
    for name in dict.fromkeys(e.profile for e in evaluations):
        print_tables(name, [e for e in evaluations if e.profile == name])


def _evaluate_one(
    profile: str, folder: Path, banks: Path, seed: int, weights_dir: Path, device: str
) -> Evaluation:
    from banks.builder import Builder
    from banks.detector import Detector
    from banks.profiles import find_profile
    from banks.store import BankStore
    from evaluation.product_evaluation import evaluate as evaluate_product
    from evaluation.product_evaluation import families_of
    from models.product_folder import open_product_folder

    parts = open_product_folder(folder)
    store = BankStore(banks)
    columns = (TextColumn("{task.description:32}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=_errors) as bars:
        task = bars.add_task(f"{profile} {folder.name}", total=None)

        def told(stage: str, done: int, total: int) -> None:
            bars.update(task, description=f"{folder.name}: {stage}", completed=done, total=total)

        if store.current(folder.name) is None:
            Builder(find_profile(profile), store, seed, device, weights_dir, told).build(folder.name, parts)
        detector = Detector.load(store.path(folder.name), device=device, weights_dir=weights_dir)
        return evaluate_product(
            detector, parts, families_of(folder), lambda done, total: told("test parts", done, total)
        )


def print_tables(profile: str, evaluations: Sequence[Evaluation]) -> None:
    """Image AUROC, AUPRO and decisions by product; image AUROC by defect family."""
    names = list(evaluations[0].columns)
    _print_by_product(
        f"{profile}: image AUROC",
        names,
        {e.product: [e.columns[name].image_auroc for name in names] for e in evaluations},
    )
    _print_by_product(
        f"{profile}: AUPRO (30 %)",
        names,
        {e.product: [e.columns[name].aupro.get("0.3") for name in names] for e in evaluations},
    )
    kinds = sorted({kind for e in evaluations for kind in e.columns[names[0]].families})
    families = Table("family", *names, title=f"{profile}: image AUROC by defect family, mean over products")
    for kind in kinds:
        means = (_mean([e.columns[name].families.get(kind) for e in evaluations]) for name in names)
        families.add_row(kind, *map(_shown, means))
    Console().print(families)
    decisions = Table("product", "false rejects", "misses", "p50 ms", title=f"{profile}: at the threshold")
    for e in evaluations:
        decisions.add_row(
            e.product, f"{e.false_rejects} of {e.goods}", f"{e.misses} of {e.defects}", f"{e.p50_ms:.0f}"
        )
    rejects, goods = sum(e.false_rejects for e in evaluations), sum(e.goods for e in evaluations)
    misses, defects = sum(e.misses for e in evaluations), sum(e.defects for e in evaluations)
    decisions.add_row("all", f"{rejects} of {goods}", f"{misses} of {defects}", "", style="bold")
    Console().print(decisions)


def _print_by_product(title: str, names: Sequence[str], rows: dict[str, list[float | None]]) -> None:
    table = Table("product", *names, title=title)
    for product, values in rows.items():
        table.add_row(product, *map(_shown, values))
    means = [_mean(list(column)) for column in zip(*rows.values(), strict=True)]
    table.add_row("mean", *map(_shown, means), style="bold")
    Console().print(table)


def _mean(values: Sequence[float | None]) -> float | None:
    there = [value for value in values if value is not None]
    return sum(there) / len(there) if there else None


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
