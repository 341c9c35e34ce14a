"""`tribank contamination`: what defective parts among the training parts change, as one table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from cli.evaluate import CacheDir, CacheGb, Device, Weights, errors, open_evaluator, run_all, stage_bar
from cli.tables import insert
from models.weights.folder import DEFAULT_WEIGHTS

if TYPE_CHECKING:
    from evaluation.product_evaluation import Evaluation
    from evaluation.tables.text import TextTable

MARKS = ("<!-- contamination: begin -->", "<!-- contamination: end -->")
"""`--markdown` writes between these lines. The rest of the file is kept."""
_SHARES = (0.0, 0.05, 0.1)


def contamination(
    out: Annotated[Path, typer.Option(help="Folder for parts, results, banks and features.")] = Path(
        "out/contamination"
    ),
    markdown: Annotated[
        Path | None,
        typer.Option(help="Also write the table into this Markdown file; its other text is kept."),
    ] = None,
    seed: Annotated[
        list[int] | None, typer.Option(help="Seed of the demo parts. Repeatable. [default: 5]")
    ] = None,
    product: Annotated[
        list[str] | None, typer.Option(help="Product to evaluate. Repeatable. [default: all]")
    ] = None,
    train: Annotated[int, typer.Option(min=10, help="Good parts per product to build banks from.")] = 40,
    validation: Annotated[
        int, typer.Option(min=0, help="Good parts per product held out for calibration.")
    ] = 10,
    test: Annotated[int, typer.Option(min=10, help="Test parts per product; two in five are good.")] = 40,
    profile: Annotated[str, typer.Option(help="Profile to evaluate.")] = "embedded",
    cache: CacheDir = None,
    cache_gb: CacheGb = 10.0,
    weights_dir: Weights = DEFAULT_WEIGHTS,
    device: Device = "cpu",
) -> None:
    """Evaluate demo products with no, 5 % and 10 % defective parts among the training parts.

    All three have the same test parts. Finished results in OUT are kept. After an interruption, run the same
    command again to continue.
    """
    from evaluation.demo_parts.writer import write_demo_parts
    from evaluation.run import Run
    from evaluation.tables.results import provenance

    evaluations: list[Evaluation] = []
    rows: list[tuple[int, Evaluation]] = []
    for number in seed or [5]:
        folder = out / f"seed-{number}"
        errors.print(f"Demo parts of seed {number} in {folder}", markup=False, highlight=False)
        write_demo_parts(
            folder / "parts",
            products=product or None,
            seed=number,
            train=train,
            validation=validation,
            test=test,
        )
        with stage_bar() as progress:
            evaluator = open_evaluator(
                folder / "parts", folder, 0, False, cache, cache_gb, weights_dir, device, progress
            )
            chosen = [name for name in evaluator.products if not product or name in product]
            runs = [Run(name, profile, mixed=share) for name in chosen for share in _SHARES]
            finished, failed = run_all(evaluator, runs)
        for message in failed.values():
            errors.print(f"Not evaluated: {message}", markup=False, style="red")
        rows += [(number, evaluation) for evaluation in finished.values()]
        evaluations += finished.values()
    table = _table(rows, profile, f"{train} training, {validation} validation and {test} test parts")
    Console().print(table.rich())
    if markdown is not None:
        insert(markdown, f"{table.markdown()}\n{provenance(evaluations)}\n", MARKS)


def _table(rows: Sequence[tuple[int, Evaluation]], profile: str, parts: str) -> TextTable:
    """A row for each seed, product and share."""
    from evaluation.product_evaluation import FINAL
    from evaluation.tables.text import TextTable, number

    lines: list[list[str]] = []
    for seed, found in rows:
        named = set(found.odd) & set(found.mixed)
        lines.append(
            [
                str(seed),
                found.product,
                str(len(found.mixed)),
                f"{len(named)} of {len(found.mixed)}",
                str(len(found.odd) - len(named)),
                number(found.columns[FINAL].image_auroc),
                f"{found.misses} of {found.defects}",
                f"{found.false_rejects} of {found.goods}",
            ]
        )
    return TextTable(
        f"{profile}: demo products with defective parts among the training parts",
        [
            "seed",
            "product",
            "defective parts",
            "named as odd",
            "good parts named",
            "image AUROC",
            "misses",
            "false rejects",
        ],
        lines,
        [
            f"Each product has {parts}. The defective parts are test parts; those that the largest share "
            "takes are no test parts in any row."
        ],
    )
