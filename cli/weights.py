"""`tribank weights`: list, fetch, add and verify network weights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn
from rich.table import Column, Table

from cli.options import check_folder, is_typed
from models.weights.catalogue import WEIGHTS
from models.weights.folder import DEFAULT_WEIGHTS, find_weights

if TYPE_CHECKING:
    from models.weights.store import StoredWeights

app = typer.Typer(
    help="List, fetch, add and verify network weights. Only `fetch` downloads files.",
    no_args_is_help=True,
)

Folder = Annotated[
    Path,
    typer.Option("--dir", envvar="TRIBANK_WEIGHTS", help="Folder of the weights.", file_okay=False),
]
Name = Annotated[
    str,
    typer.Argument(help="A name from `tribank weights list`, or timm:<model> for a timm model."),
]
File = Annotated[
    Path, typer.Argument(exists=True, dir_okay=False, help="Official file: .pth, .npz or .safetensors.")
]
GivenName = Annotated[
    str | None, typer.Option("--name", help="Name of the weights. [default: recognised by the tensors]")
]


@app.command("list")
def list_weights(folder: Folder = DEFAULT_WEIGHTS) -> None:
    """List the weights that Tribank knows: purpose, licence, size, and the file if installed."""
    table = Table(Column("name", no_wrap=True), "purpose", "licence", "MB", "installed")
    for weights in WEIGHTS.values():
        path = find_weights(folder, weights.name)
        size = str(weights.megabytes) if weights.megabytes else "?"
        table.add_row(
            weights.name, weights.purpose, weights.licence, size, escape(path.name) if path else "no"
        )
    Console().print(table)


@app.command()
def fetch(name: Name, folder: Folder = DEFAULT_WEIGHTS) -> None:
    """Download weights from their official address, check them and convert them to safetensors.

    If this machine has no internet, the message says which file to copy into which folder.
    """
    from models.weights.download import fetch as download
    from models.weights.store import WeightStore

    columns = (BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with _plain_errors(), Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(name, total=None)
        stored = download(
            WeightStore(folder), name, lambda done, total: bar.update(task, completed=done, total=total)
        )
    _print(stored)


@app.command()
def add(file: File, name: GivenName = None, folder: Folder = DEFAULT_WEIGHTS) -> None:
    """Check an official file tensor by tensor and convert it to safetensors. No code in it is executed."""
    from models.weights.store import WeightStore

    with _plain_errors():
        stored = WeightStore(folder).add(file, name)
    _print(stored)


@app.command()
def verify(context: typer.Context, folder: Folder = DEFAULT_WEIGHTS) -> None:
    """Check every tensor of all installed weights. Exits with 1 if weights are damaged or wrong."""
    from models.weights.store import BadWeights, WeightStore

    if is_typed(context, "folder"):  # else packages may have all weights
        check_folder(folder, "--dir")
    store = WeightStore(folder)
    table, sound = Table(Column("name", no_wrap=True), "file", "sha256 of the original", "result"), True
    for name in WEIGHTS:
        if (path := store.find(name)) is None:
            continue
        try:
            stored = store.verify(name)
        except BadWeights as error:
            sound = False
            table.add_row(name, escape(path.name), "", escape(str(error)))
        else:
            table.add_row(name, escape(path.name), stored.sha256[:16], _verdict(stored))
    Console().print(table)
    if not sound:
        raise typer.Exit(1)


def _verdict(stored: StoredWeights) -> str:
    if not stored.checksum:
        return "complete, but without a checksum: add or fetch the official file again"
    if stored.official is None:
        return "complete; no official sha256 is published"
    return "complete, the official file" if stored.official else "complete, but not the official file"


def _print(stored: StoredWeights) -> None:
    typer.echo(f"{stored.name}: {stored.path} ({_verdict(stored)}; sha256 {stored.sha256})")


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Print an error as a sentence instead of a traceback, and exit with 1."""
    from models.weights.store import BadWeights, MissingWeights

    try:
        yield
    except (BadWeights, MissingWeights, ValueError) as error:
        typer.echo(f"tribank weights: {error}", err=True)
        raise typer.Exit(1) from error
