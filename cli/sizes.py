"""`tribank sizes`: the default profile on demo parts of several sizes, as one table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from cli.evaluate import CacheDir, CacheGb, Device, Weights, errors, open_evaluator, run_all, stage_bar
from cli.tables import insert
from models.weights.folder import DEFAULT_WEIGHTS

if TYPE_CHECKING:
    from evaluation.demo_parts.resize import Size
    from evaluation.product_evaluation import Evaluation
    from evaluation.tables.text import TextTable

MARKS = ("<!-- sizes: begin -->", "<!-- sizes: end -->")
"""`--markdown` writes between these lines. The rest of the file is kept."""
_SCALES = (0.03, 0.1, 10.0, 30.0)
_THICKNESS = 0.001
_AS_RENDERED = "as-rendered"


def sizes(
    out: Annotated[Path, typer.Option(help="Folder for parts, results, banks and features.")] = Path(
        "out/sizes"
    ),
    markdown: Annotated[
        Path | None,
        typer.Option(help="Also write the table into this Markdown file; its other text is kept."),
    ] = None,
    product: Annotated[
        list[str] | None, typer.Option(help="Product to evaluate. Repeatable. [default: all]")
    ] = None,
    train: Annotated[int, typer.Option(min=2, help="Good parts per product to build banks from.")] = 40,
    validation: Annotated[
        int, typer.Option(min=0, help="Good parts per product held out for calibration.")
    ] = 10,
    test: Annotated[int, typer.Option(min=2, help="Test parts per product; two in five are good.")] = 40,
    profile: Annotated[str, typer.Option(help="Profile to evaluate.")] = "embedded",
    cache: CacheDir = None,
    cache_gb: CacheGb = 10.0,
    weights_dir: Weights = DEFAULT_WEIGHTS,
    device: Device = "cpu",
) -> None:
    """Evaluate demo products as they are, scaled by 0.03, 0.1, 10 and 30, and only 1 mm thick.

    A thin part's heights and the scanner's noise shrink by the same factor: the scanner can measure the part.
    Finished results in OUT are kept. After an interruption, run the same command again to continue.
    """
    from evaluation.demo_parts.resize import Size
    from evaluation.demo_parts.writer import write_demo_parts
    from evaluation.run import Run
    from evaluation.tables.results import provenance

    every: dict[str, Size] = {
        _AS_RENDERED.replace("-", " "): Size(),
        **{f"{scale:g} times": Size(scale) for scale in _SCALES},
        f"{1000 * _THICKNESS:g} mm thick": Size(thickness=_THICKNESS),
    }
    found: dict[str, dict[str, Evaluation]] = {}
    for name, size in every.items():
        folder = out / name.replace(" ", "-")
        errors.print(f"Demo parts, {name}, in {folder}", markup=False, highlight=False)
        write_demo_parts(
            folder / "parts",
            products=product or None,
            train=train,
            validation=validation,
            test=test,
            size=size,
            rendered=None if size == Size() else out / _AS_RENDERED / "parts",
        )
        with stage_bar() as progress:
            evaluator = open_evaluator(
                folder / "parts", folder, 0, False, cache, cache_gb, weights_dir, device, progress
            )
            runs = [Run(one, profile) for one in evaluator.products]
            finished, failed = run_all(evaluator, runs)
        for message in failed.values():
            errors.print(f"Not evaluated: {message}", markup=False, style="red")
        found[name] = {run.product: evaluation for run, evaluation in finished.items()}
    evaluations = [evaluation for row in found.values() for evaluation in row.values()]
    table = _table(found, profile, f"{train} training, {validation} validation and {test} test parts")
    Console().print(table.rich())
    if markdown is not None:
        insert(markdown, f"{table.markdown()}\n{provenance(evaluations)}\n", MARKS)


def _table(found: Mapping[str, Mapping[str, Evaluation]], profile: str, parts: str) -> TextTable:
    """Image AUROC by size and product, the mean, and its difference from the first size."""
    from evaluation.product_evaluation import FINAL
    from evaluation.tables.text import TextTable, mean, number

    products = list(dict.fromkeys(name for row in found.values() for name in row))
    values: dict[str, Sequence[float | None]] = {
        size: [row[name].columns[FINAL].image_auroc if name in row else None for name in products]
        for size, row in found.items()
    }
    means = {size: mean(row) for size, row in values.items()}
    first = next(iter(means.values()))
    rows = [
        [
            size,
            *(number(value) for value in row),
            number(means[size]),
            number(None if (own := means[size]) is None or first is None else own - first, signed=True),
        ]
        for size, row in values.items()
    ]
    return TextTable(
        f"{profile}: image AUROC of demo products of other sizes",
        ["size", *products, "mean", "difference"],
        rows,
        [f"Each product has {parts}."],
    )
