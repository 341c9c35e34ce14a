"""`tribank data`: check and screen data sets, and convert them into product folders."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, cast

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from cli.screen import screen

if TYPE_CHECKING:
    from evaluation.datasets.check import DatasetReport
    from evaluation.datasets.eyecandies import Light

SHOWN = 20
"""Findings that are listed per product. Further findings are counted (--json lists all)."""
SHOWN_KINDS = 4
"""Kinds of files that are listed per product."""

app = typer.Typer(help="Check, screen and convert data sets.", no_args_is_help=True)
convert = typer.Typer(help="Convert a data set into product folders.", no_args_is_help=True)
app.add_typer(convert, name="convert")
app.command()(screen)

Out = Annotated[Path, typer.Argument(help="Folder in which product folders are written.")]


class FrameChoice(StrEnum):
    """Eyecandies' coordinate frames, see `eyecandies_geometry.CloudFrame`."""

    SCRIPT = "script"
    CAMERA = "camera"


@app.command()
def check(
    folder: Annotated[Path, typer.Argument(help="Data set, product folder, or folder of products.")],
    deep: Annotated[bool, typer.Option(help="Read every part completely.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Report what a folder contains, its kinds of files and point pitch, and what will be skipped.

    Known are MVTec 3D-AD (with its official counts), MVTec AD, Eyecandies as unpacked, and product folders:
    train/, validation/ and test/, or good/ and one folder per defect, or good parts only. Only headers and a
    few parts are read. --deep reads all.
    """
    from evaluation.datasets.check import check_dataset

    try:
        with Progress(console=Console(stderr=True), disable=not deep) as bar:
            task = bar.add_task("reading parts", total=None)
            report = check_dataset(
                folder, deep, lambda done, total: bar.update(task, completed=done, total=total)
            )
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
        typer.Option(min=0, max=5, help="Light of the image: 5 global (paper), 4 left spot (its script)."),
    ] = 5,
    frame: Annotated[
        FrameChoice,
        typer.Option(help="Frame and scale of the cloud: the published script's or the camera's."),
    ] = FrameChoice.SCRIPT,
    train: Annotated[
        int, typer.Option(min=0, help="How many of the 1000 training parts to keep; 0 keeps all.")
    ] = 400,
    by_family: Annotated[
        bool,
        typer.Option("--by-family", help="Write one folder per kind of defect instead of one folder bad."),
    ] = False,
) -> None:
    """Convert Eyecandies classes into product folders with clouds and masks and without background."""
    from evaluation.datasets.eyecandies import find_classes
    from evaluation.datasets.eyecandies_conversion import EyecandiesSettings, chosen_parts, convert_class

    classes = find_classes(folder)
    if not classes:
        _fail(f"{folder} has no Eyecandies class. Expected files such as <class>/train/data/000_depth.png.")
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
            bar.console.print(f"{out / name}: {'written' if written else 'exists already'}", markup=False)
    _report_skipped(skipped)


@convert.command()
def depth(
    folder: Annotated[Path, typer.Argument(help="One product: depth/, rgb/ and intrinsics.json.")],
    out: Annotated[Path, typer.Argument(help="Product folder to write.")],
    invalid_value: Annotated[
        float | None, typer.Option(help="z that means no return, besides 0 and NaN, in metres.")
    ] = None,
) -> None:
    """Convert a folder of depth maps and intrinsics into a product folder of clouds.

    If you correct the intrinsics or files, run the command again. It converts changed inputs again.
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
            _fail(f"{folder} has no depth maps. Expected: {LAYOUT}")
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
    typer.echo(f"{out}: {f'written{without}' if written else 'exists already'}")
    _report_skipped(skipped)


def _fail(error: Exception | str) -> NoReturn:
    typer.echo(f"tribank data: {error}", err=True)
    raise typer.Exit(1)


def _report_skipped(skipped: list[str]) -> None:
    """Print the skipped parts. If there are any, exit with 1; a second run converts again."""
    for sentence in skipped:
        typer.echo(f"Skipped {sentence}", err=True)
    if skipped:
        raise typer.Exit(1)


def _show(report: DatasetReport) -> None:
    console = Console()
    table = Table(
        "product", "parts", "inputs of every part", title=f"{report.kind}: {len(report.products)} products"
    )
    for product in report.products:
        counts = ", ".join(f"{name} {count}" for name, count in product.counts.items())
        table.add_row(escape(product.name), escape(counts), " and ".join(product.inputs) or "-")
    console.print(table)
    for product in report.products:
        facts = {
            "layout": product.layout,
            "images": _counted(product.images),
            "significant bits": f"{product.image_bits} of 16" if product.image_bits else "",
            "clouds": _counted(product.clouds),
            "points": str(product.points or ""),
        }
        for name, fact in facts.items():
            if fact:
                console.print(f"{product.name}: {name}: {fact}", markup=False, highlight=False)
        lines = [*product.findings, *(f"Skipped: {reason}" for reason in product.skipped)]
        for line in lines[:SHOWN]:
            console.print(f"{product.name}: {line}", markup=False)
        if len(lines) > SHOWN:
            console.print(f"{product.name}: {len(lines) - SHOWN} more findings.", markup=False)
    if report.missing:
        console.print(f"Missing: {', '.join(report.missing)}.", markup=False)
    if report.next_step:
        console.print(f"Next: {report.next_step}", markup=False)


def _counted(kinds: Mapping[str, int]) -> str:
    """The first few kinds of files with their numbers."""
    shown = [f"{count} {kind}" for kind, count in list(kinds.items())[:SHOWN_KINDS]]
    more = len(kinds) - SHOWN_KINDS
    return "; ".join([*shown, *([f"{more} more kinds"] if more > 0 else [])])
