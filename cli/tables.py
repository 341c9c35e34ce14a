"""`tribank tables`: the supplement's tables I to XII on any data, with one command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from cli.evaluate import (
    CacheDir,
    CacheGb,
    Device,
    Prepared,
    Weights,
    errors,
    open_evaluator,
    run_all,
    stage_bar,
    write_results,
)
from models.weights.folder import DEFAULT_WEIGHTS

if TYPE_CHECKING:
    from evaluation.evaluator import Evaluator
    from evaluation.product_evaluation import Evaluation
    from evaluation.run import Run
    from evaluation.tables.fill import FilledTable
    from evaluation.tables.text import TextTable

DEMO = "demo"
BEGIN, END = "<!-- tables: begin -->", "<!-- tables: end -->"
"""`--markdown` writes between these lines. The rest of the file is kept."""


class UnknownTable(ValueError):
    """The supplement has no table with this number. The message lists the numbers."""


def tables(
    data: Annotated[
        str, typer.Option(help="'demo' for our rendered products, a product folder, or a folder of products.")
    ] = DEMO,
    numbers: Annotated[
        str | None, typer.Option("--tables", help="Tables such as I,II,X. [default: all that fit the data]")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for results, banks and features.")] = Path("out/tables"),
    markdown: Annotated[
        Path | None,
        typer.Option(help="Also write the tables into this Markdown file; its other text is kept."),
    ] = None,
    product: Annotated[
        list[str] | None, typer.Option(help="Product to evaluate. Repeatable. [default: all]")
    ] = None,
    draws: Annotated[int, typer.Option(min=1, help="Random draws for each few-shot size.")] = 3,
    seed: Annotated[int, typer.Option(help="Seed of the draws and the builds.")] = 0,
    parts_seed: Annotated[int, typer.Option(help="Seed of the demo parts.")] = 0,
    stand_ins: Annotated[
        bool | None,
        typer.Option(help="Also fill rows with the weights that Tribank includes. [default: for demo only]"),
    ] = None,
    paper_code: Annotated[
        bool, typer.Option("--paper-code", help="Use the settings of the published code, not of the text.")
    ] = False,
    prepared: Prepared = False,
    cache: CacheDir = None,
    cache_gb: CacheGb = 10.0,
    weights_dir: Weights = DEFAULT_WEIGHTS,
    device: Device = "cpu",
) -> None:
    """Fill the supplement's tables with our value, the published value and the difference for each class.

    A row says if its weights or data are missing. Finished results in OUT are kept. After an interruption,
    run the same command again to continue.
    """
    from evaluation.tables.fill import TableFiller, TableSettings
    from evaluation.tables.layout import text_table

    folder = _demo_parts(out / f"parts-{parts_seed}", parts_seed, product) if data == DEMO else Path(data)
    chosen = _chosen(numbers)
    with stage_bar() as progress:
        evaluator = open_evaluator(
            folder, out, seed, prepared, cache, cache_gb, weights_dir, device, progress
        )
        products = evaluator.chosen(product)
        filler = TableFiller(
            TableSettings(
                parts={name: len(evaluator.products[name].train) for name in products},
                seed=seed,
                draws=draws,
                stand_ins=data == DEMO if stand_ins is None else stand_ins,
                paper_code=paper_code,
                missing=evaluator.missing,
            )
        )
        fitting = [number for number in chosen if _fits(number, products)]
        wanted = dict.fromkeys(run for number in fitting for run in filler.runs(number))
        runs = sorted(
            wanted, key=lambda run: products.index(run.product)
        )  # so that the cache is used at once
        finished, failed = run_all(evaluator, runs)
    filled = [filler.fill(number, finished, failed) for number in fitting]
    write_results(out, list(finished.values()))
    shown = [text_table(table, products) for table in filled]
    remarks = [_unfit(number) for number in chosen if number not in fitting]
    _show(shown, remarks)
    text = _document(data, folder, evaluator, finished, shown, remarks)
    (out / "tables.md").write_text(text, encoding="utf-8")
    if markdown is not None:
        insert(markdown, text, (BEGIN, END))
    _report_files(out, markdown, filled)


def _demo_parts(folder: Path, seed: int, products: Sequence[str] | None) -> Path:
    from evaluation.demo_parts.writer import write_demo_parts

    errors.print(f"Demo parts, seed {seed}, in {folder}", markup=False, highlight=False)
    write_demo_parts(folder, products=products or None, seed=seed)
    return folder


def _chosen(numbers: str | None) -> list[str]:
    """Table numbers in the paper's order. Raises UnknownTable."""
    from evaluation.tables.published import published_tables

    every = list(published_tables())
    requested = every if numbers is None else [number.strip().upper() for number in numbers.split(",")]
    if unknown := [number for number in requested if number not in every]:
        raise UnknownTable(f"Unknown table {', '.join(unknown)}. Choose from: {', '.join(every)}.")
    return [number for number in every if number in requested]


def _fits(number: str, products: Sequence[str]) -> bool:
    """Whether these products can fill a table: products of its data set, or of no published data set."""
    from evaluation.tables.published import published_tables

    every = published_tables()
    known = {name for table in every.values() for name in table.classes} & set(products)
    return not known or bool(known & set(every[number].classes))


def _unfit(number: str) -> str:
    from evaluation.tables.published import published_tables

    table = published_tables()[number]
    folders = {"mvtec3d": "MVTec 3D-AD", "eyecandies": "Eyecandies, converted by 'tribank data convert'"}
    return (
        f"Table {number} was skipped: it needs {folders[table.dataset]}, but this folder is another data set."
    )


def _document(
    data: str,
    folder: Path,
    evaluator: Evaluator,
    finished: Mapping[Run, Evaluation],
    shown: Sequence[TextTable],
    remarks: Sequence[str],
) -> str:
    from evaluation.tables.results import provenance

    source = "our rendered demo parts" if data == DEMO else f"`{folder.resolve().name}`"
    blocks = [f"Parts: {source}. {provenance(list(finished.values()))}" if finished else f"Parts: {source}."]
    blocks += [f"Skipped: {note}" for product in evaluator.products.values() for note in product.skipped]
    return "\n".join(f"{block}\n" for block in [*blocks, *remarks, *(table.markdown() for table in shown)])


def insert(path: Path, text: str, marks: tuple[str, str]) -> None:
    """Write the text between the two marks. A file without marks gets both marks at its end."""
    begin, end = marks
    old = path.read_text(encoding="utf-8") if path.exists() else ""
    before, _, rest = old.partition(begin)
    after = rest.partition(end)[2]
    path.write_text(f"{before}{begin}\n\n{text}\n{end}{after or chr(10)}", encoding="utf-8")


def _show(shown: Sequence[TextTable], remarks: Sequence[str]) -> None:
    console = Console()
    for table in shown:
        console.print(table.rich())
        for note in table.notes:
            console.print(note, markup=False)
        console.print()
    for remark in remarks:
        console.print(remark, markup=False)


def _report_files(out: Path, markdown: Path | None, filled: Sequence[FilledTable]) -> None:
    empty = sum(not line.scores for table in filled for line in table.lines)
    lines = sum(len(table.lines) for table in filled)
    files = [str(out / "tables.md"), str(out / "results.csv"), *([str(markdown)] if markdown else [])]
    errors.print(
        f"{lines - empty} of {lines} rows filled; written: {', '.join(files)}", markup=False, soft_wrap=True
    )
