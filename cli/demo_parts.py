"""The command `tribank demo-parts`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

NAMES = ("biscuit", "carrot", "coaster", "flange", "housing", "lid")
"""Of `products.PRODUCTS`, which loads what draws them."""


def demo_parts(
    out: Annotated[Path, typer.Argument(help="Folder to write the products into; made if it is not there.")],
    product: Annotated[
        list[str] | None,
        typer.Option(help=f"Product to write; repeat for several. One of {', '.join(NAMES)}. [default: all]"),
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same files, byte for byte.")] = 0,
    train: Annotated[int, typer.Option(min=0, help="Good parts of each product to build banks from.")] = 40,
    validation: Annotated[
        int, typer.Option(min=0, help="Good parts of each product held out for calibration.")
    ] = 10,
    test: Annotated[
        int, typer.Option(min=0, help="Parts of each product to test on: two in five good.")
    ] = 40,
) -> None:
    """Render demo products (RGB and point cloud, good and defective) in the folder layout of MVTec 3D-AD.

    A product that is already there with the same settings is left as it is. The pictures are CC0.
    """
    from evaluation.demo_parts.writer import write_demo_parts  # Open3D takes seconds to import

    with _progress_bar() as bar:
        task = bar.add_task("parts", total=None)
        try:
            folders = write_demo_parts(
                out,
                products=product or None,
                seed=seed,
                train=train,
                validation=validation,
                test=test,
                progress=lambda done, total: bar.update(task, completed=done, total=total),
            )
        except ValueError as wrong:
            raise typer.BadParameter(str(wrong)) from wrong
        except FileExistsError as taken:
            raise typer.BadParameter(str(taken), param_hint="OUT") from taken
    typer.echo("\n".join(map(str, folders)))


def _progress_bar() -> Progress:
    """Parts done, of how many, and the time left; on stderr, so that stdout lists the folders alone."""
    return Progress(
        TextColumn("Rendering"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("parts"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
