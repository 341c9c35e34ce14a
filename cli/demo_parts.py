"""The command `tribank demo-parts`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


class Family(StrEnum):
    """The names of `generators.GENERATORS`. Importing that module would load the renderers."""

    heights = "heights"
    meshes = "meshes"


NAMES = {
    Family.heights: ("biscuit", "carrot", "coaster", "flange", "housing", "lid"),
    Family.meshes: ("bracket", "cap", "connector", "pretzel", "sprocket", "walnut"),
}
"""The products of each generator."""
_LISTED = "; ".join(f"{', '.join(names)} ({generator})" for generator, names in NAMES.items())


def demo_parts(
    out: Annotated[Path, typer.Argument(help="Folder for the products; created if missing.")],
    product: Annotated[
        list[str] | None,
        typer.Option(help=f"Product to write; repeat for several. One of {_LISTED}. [default: all]"),
    ] = None,
    generator: Annotated[
        Family, typer.Option(help="Who renders the parts. The two share neither shapes nor rendering.")
    ] = Family.heights,
    seed: Annotated[int, typer.Option(help="The same seed gives the same files, byte for byte.")] = 0,
    train: Annotated[int, typer.Option(min=0, help="Good parts per product to build banks from.")] = 40,
    validation: Annotated[
        int, typer.Option(min=0, help="Good parts per product held out for calibration.")
    ] = 10,
    test: Annotated[int, typer.Option(min=0, help="Test parts per product; two in five are good.")] = 40,
    scale: Annotated[float, typer.Option(help="Factor of all lengths, such as 10 or 0.1.")] = 1.0,
    thickness: Annotated[
        float | None,
        typer.Option(help="Height of a part above its table, metres, before --scale. [default: as it is]"),
    ] = None,
) -> None:
    """Render demo products (RGB and point cloud, good and defective) in the folder layout of MVTec 3D-AD.

    An existing product with the same settings is kept unchanged. The images are CC0.
    """
    from evaluation.demo_parts.generators import GENERATORS
    from evaluation.demo_parts.resize import Size
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
                size=Size(scale, thickness),
                generator=GENERATORS[generator],
                progress=lambda done, total: bar.update(task, completed=done, total=total),
            )
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error
        except FileExistsError as error:
            raise typer.BadParameter(str(error), param_hint="OUT") from error
    typer.echo("\n".join(map(str, folders)))


def _progress_bar() -> Progress:
    """A bar with the number of parts and the remaining time, on stderr, because stdout lists the folders."""
    return Progress(
        TextColumn("Rendering"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("parts"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
