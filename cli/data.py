"""`tribank data`: look a data set over, and convert one into product folders."""

from __future__ import annotations

import json
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, cast

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

if TYPE_CHECKING:
    from evaluation.datasets.check import DatasetReport
    from evaluation.datasets.eyecandies import Light

SHOWN = 20
"""Findings listed a product; the rest is counted (--json lists all)."""

app = typer.Typer(help="Look data sets over and convert them.", no_args_is_help=True)
convert = typer.Typer(help="Convert a data set into product folders.", no_args_is_help=True)
app.add_typer(convert, name="convert")

Out = Annotated[Path, typer.Argument(help="Folder to write product folders into.")]


class FrameChoice(StrEnum):
    """Eyecandies' coordinate frames, see `eyecandies_geometry.Frame`."""

    SCRIPT = "script"
    CAMERA = "camera"


@app.command()
def check(
    folder: Annotated[Path, typer.Argument(help="Data set, product folder or folder of products.")],
    deep: Annotated[bool, typer.Option(help="Read every part in full, not only the first ones.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Tell what a folder is, what is in it, what is missing and what will be skipped.

    Knows MVTec 3D-AD (and its official counts), Eyecandies as unpacked, depth maps with intrinsics, and
    any product folder: train/, validation/ and test/, or good/ and one folder a defect, or good parts only.
    """
    from evaluation.datasets.check import check_dataset

    try:
        report = check_dataset(folder, deep)
    except (ValueError, OSError) as error:
        _fail(error)
    if as_json:
        typer.echo(json.dumps(asdict(report), indent=2))
    else:
        _show(report)


@convert.command()
def eyecandies(
    folder: Annotated[Path, typer.Argument(help="Eyecandies as unpacked: all classes or one.")],
    out: Out,
    light: Annotated[
        int,
        typer.Option(min=0, max=5, help="Image taken: 5 global light (the paper), 4 left spot (its script)."),
    ] = 5,
    frame: Annotated[
        FrameChoice, typer.Option(help="Cloud in the published script's frame and scale, or the camera's.")
    ] = FrameChoice.SCRIPT,
    train: Annotated[int, typer.Option(min=0, help="First training parts kept of 1000; 0 = all.")] = 400,
    by_family: Annotated[
        bool, typer.Option("--by-family", help="A folder a kind of defect instead of one, bad.")
    ] = False,
) -> None:
    """Convert Eyecandies classes: depth to clouds, background out, masks, train/validation/test folders."""
    from evaluation.datasets.eyecandies import find_classes
    from evaluation.datasets.eyecandies_conversion import EyecandiesSettings, chosen_parts, convert_class

    classes = find_classes(folder)
    if not classes:
        _fail(f"{folder} holds no Eyecandies class: expected <class>/train/data/000_depth.png and its like")
    settings = EyecandiesSettings(cast("Light", light), frame.value, train, by_family)
    skipped: list[str] = []
    console = Console(stderr=True)
    with Progress(console=console) as bar:
        for name, place in classes.items():
            task = bar.add_task(name, total=len(chosen_parts(place, settings)))
            try:
                written = convert_class(place, out / name, settings, skipped, lambda t=task: bar.advance(t))
            except OSError as error:
                _fail(error)
            bar.console.print(f"{out / name}: {'written' if written else 'there already'}", markup=False)
    _tell_skipped(skipped)


@convert.command()
def depth(
    folder: Annotated[Path, typer.Argument(help="One product: depth/ and rgb/ folders and intrinsics.json.")],
    out: Annotated[Path, typer.Argument(help="Product folder to write.")],
    invalid_value: Annotated[
        float | None, typer.Option(help="z that means no return, beside 0 and NaN, in metres.")
    ] = None,
) -> None:
    """Convert a folder of depth maps and intrinsics into a product folder of clouds.

    Run it again when the intrinsics or files were mended: what is there is converted anew.
    """
    from evaluation.datasets.depth_folder import (
        LAYOUT,
        convert_depth_parts,
        digest_of_parts,
        list_depth_parts,
    )
    from evaluation.datasets.product_writer import write_product

    skipped: list[str] = []
    try:
        parts = list_depth_parts(folder)
        if not parts:
            _fail(f"{folder} holds no depth maps. Expected: {LAYOUT}")
        record = {
            "from": "depth maps",
            "product": folder.resolve().name,
            "parts": len(parts),
            "inputs": digest_of_parts(parts),
            "invalid_value": invalid_value,
        }
        written = write_product(out, convert_depth_parts(parts, skipped, invalid_value), record, skipped)
    except (ValueError, OSError) as error:
        _fail(error)
    without = f", without {len(skipped)} of {len(parts)} parts" if skipped else ""
    typer.echo(f"{out}: {f'written{without}' if written else 'there already'}")
    _tell_skipped(skipped)


def _fail(error: Exception | str) -> NoReturn:
    typer.echo(f"tribank data: {error}", err=True)
    raise typer.Exit(1)


def _tell_skipped(skipped: list[str]) -> None:
    """A conversion that left parts out says which and ends with 1; run again, it is done again."""
    for sentence in skipped:
        typer.echo(f"Skipped {sentence}", err=True)
    if skipped:
        raise typer.Exit(1)


def _show(report: DatasetReport) -> None:
    console = Console()
    table = Table(
        "product", "parts", "every part has", title=f"{report.kind}: {len(report.products)} products"
    )
    for product in report.products:
        counts = ", ".join(f"{name} {count}" for name, count in product.counts.items())
        table.add_row(escape(product.name), escape(counts), " and ".join(product.inputs) or "-")
    console.print(table)
    for product in report.products:
        lines = [*product.findings, *(f"Skipped: {reason}" for reason in product.skipped)]
        for line in lines[:SHOWN]:
            console.print(f"{product.name}: {line}", markup=False)
        if len(lines) > SHOWN:
            console.print(f"{product.name}: and {len(lines) - SHOWN} more.", markup=False)
    if report.missing:
        console.print(f"Not there: {', '.join(report.missing)}.", markup=False)
    console.print(f"Next: {report.next_step}", markup=False)
