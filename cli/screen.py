"""`tribank data screen`: find the parts of a folder of good parts that are not like the others."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from cli.options import (
    Change,
    Device,
    Prepared,
    ProfileName,
    SensorFile,
    Weights,
    XyzUnit,
    chosen_device,
    words_about_files,
)
from cli.progress import stage_bars
from models.weights.folder import DEFAULT_WEIGHTS


def screen(
    folder: Annotated[
        Path, typer.Argument(help="Product folder in the MVTec 3D-AD layout, or folder of good parts.")
    ],
    profile: ProfileName = "embedded",
    prepared: Prepared = False,
    change: Change = None,
    xyz_unit: XyzUnit = None,
    sensor: SensorFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    weights_dir: Weights = DEFAULT_WEIGHTS,
    device: Device = "auto",
) -> None:
    """Find good parts that are not like the others, before a build learns them.

    Every good part is scored by banks without it, also where a build would leave only some of them out.
    Exits with 1 if a part scores far outside the others. Nothing is kept.
    """
    from banks.versions.builder import Builder
    from banks.versions.store import BankStore
    from models.readers.product_folder import open_product_folder
    from recipes.profiles import find_profile

    found = open_product_folder(folder).declaring(words_about_files(sensor, xyz_unit))
    recipe = find_profile(profile, prepared=prepared or not found.has_clouds, changes=change or ())
    with TemporaryDirectory(prefix="tribank-screen-") as scratch, stage_bars() as progress:
        builder = Builder(
            recipe,
            BankStore(Path(scratch)),
            device=chosen_device(device),
            weights_dir=weights_dir,
            progress=progress,
        )
        calibration, skipped = builder.screen(found, Path(scratch))
    odd = [{"part": part.name, "score": part.score} for part in calibration.odd]
    count, most = calibration.count + len(odd), calibration.scores[-1]
    if as_json:
        facts = {"parts": count, "odd_parts": odd, "others_at_most": most, "skipped": skipped}
        typer.echo(json.dumps(facts, indent=2))
    else:
        said = f"{len(odd)} of {count} good parts score far outside the others"
        typer.echo(f"{said}, which score {most:.4g} at most.")
        for part in calibration.odd:
            typer.echo(f"  {part.name}  {part.score:.4g}")
        for name, why in skipped.items():
            typer.echo(f"  not screened: {name}: {why}")
    raise typer.Exit(1 if odd else 0)
