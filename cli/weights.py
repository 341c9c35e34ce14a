"""`tribank weights`: which network weights there are, and how they come to this machine."""

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

from models.weights.catalogue import WEIGHTS
from models.weights.folder import DEFAULT_WEIGHTS, find_weights

if TYPE_CHECKING:
    from models.weights.store import StoredWeights

app = typer.Typer(
    help="Network weights: list, fetch, add and verify them. Nothing is downloaded unless `fetch` is called.",
    no_args_is_help=True,
)

Folder = Annotated[
    Path,
    typer.Option("--dir", envvar="TRIBANK_WEIGHTS", help="Folder that holds the weights.", file_okay=False),
]
Name = Annotated[
    str,
    typer.Argument(help="A name from `tribank weights list`, or timm:<model> for any timm model."),
]
File = Annotated[
    Path, typer.Argument(exists=True, dir_okay=False, help="Official file: .pth, .npz or .safetensors.")
]
GivenName = Annotated[str | None, typer.Option("--name", help="What the file is; else its tensors tell.")]


@app.command("list")
def list_weights(folder: Folder = DEFAULT_WEIGHTS) -> None:
    """List the weights Tribank knows: what for, licence, size, and whether they are here."""
    table = Table(Column("name", no_wrap=True), "what for", "licence", "MB", "here")
    for weights in WEIGHTS.values():
        path = find_weights(folder, weights.name)
        size = str(weights.megabytes) if weights.megabytes else "?"
        table.add_row(
            weights.name, weights.purpose, weights.licence, size, escape(path.name) if path else "no"
        )
    Console().print(table)


@app.command()
def fetch(name: Name, folder: Folder = DEFAULT_WEIGHTS) -> None:
    """Download weights from their official place, check them and convert them to safetensors.

    Where this machine has no internet, the message says which file to copy where.
    """
    from models.weights.download import fetch as download
    from models.weights.store import WeightStore

    columns = (BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with _plain_errors(), Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(name, total=None)
        stored = download(
            WeightStore(folder), name, lambda done, total: bar.update(task, completed=done, total=total)
        )
    _tell(stored)


@app.command()
def add(file: File, name: GivenName = None, folder: Folder = DEFAULT_WEIGHTS) -> None:
    """Check an official file tensor by tensor and convert it, once, to safetensors. Nothing in it is
    executed."""
    from models.weights.store import WeightStore

    with _plain_errors():
        stored = WeightStore(folder).add(file, name)
    _tell(stored)


@app.command()
def verify(folder: Folder = DEFAULT_WEIGHTS) -> None:
    """Read every tensor of all weights that are here. Exit status 1 where one is not what it should be."""
    from models.weights.store import BadWeights, WeightStore

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
        return "complete, but no checksum: add or fetch the official file again"
    if stored.official is None:
        return "complete; no official sha256 is published"
    return "complete, the official file" if stored.official else "complete, but not the official file"


def _tell(stored: StoredWeights) -> None:
    typer.echo(f"{stored.name}: {stored.path} ({_verdict(stored)}; sha256 {stored.sha256})")


@contextmanager
def _plain_errors() -> Iterator[None]:
    """A sentence instead of a traceback."""
    from models.weights.store import BadWeights, MissingWeights

    try:
        yield
    except (BadWeights, MissingWeights, ValueError) as error:
        typer.echo(f"tribank weights: {error}", err=True)
        raise typer.Exit(1) from error
