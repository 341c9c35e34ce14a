"""`tribank plan`: estimate size and time of a product's banks before the build."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import (
    Change,
    Device,
    Json,
    Prepared,
    ProfileName,
    SensorFile,
    Weights,
    XyzUnit,
    chosen_device,
    words_about_files,
)
from cli.progress import console
from models.weights.folder import DEFAULT_WEIGHTS

if TYPE_CHECKING:
    from banks.versions.plan import Plan


def plan(
    data: Annotated[
        Path | None,
        typer.Argument(
            help="Folder of good parts. The first part is measured; without a folder, a made-up part."
        ),
    ] = None,
    parts: Annotated[
        int | None,
        typer.Option(min=2, help="Number of training parts. [default: as in the folder, or 100]"),
    ] = None,
    profile: ProfileName = "embedded",
    prepared: Prepared = False,
    change: Change = None,
    xyz_unit: XyzUnit = None,
    sensor: SensorFile = None,
    extend: Annotated[
        Path | None,
        typer.Option(
            help="Folder of a version to extend, BANKS/PRODUCT/VERSION: with its profile, and its parts "
            "beside those of DATA."
        ),
    ] = None,
    weights_dir: Weights = DEFAULT_WEIGHTS,
    device: Device = "auto",
    as_json: Json = False,
) -> None:
    """Estimate rows, megabytes and milliseconds of a product's banks. Times are measured on this machine."""
    from banks.detector import made_up_part
    from banks.versions.manifest import Manifest
    from banks.versions.plan import plan as plan_of
    from models.readers.product_folder import open_product_folder
    from models.readers.product_places import NotAProductFolder
    from recipes.profiles import find_profile

    folder = open_product_folder(data).declaring(words_about_files(sensor, xyz_unit)) if data else None
    if folder is None and (sensor or xyz_unit):
        raise typer.BadParameter("a made-up part has no files. Name the folder of good parts.")
    if folder and not folder.train:
        raise NotAProductFolder(
            f"{data} has no training parts, but the first one is measured. Add train/good."
        )
    for note in folder.skipped if folder else ():
        console.print(f"skipped: {note}", markup=False)
    without_background = prepared or not (folder is None or folder.has_clouds)  # as in `build`
    recipe = find_profile(profile, prepared=without_background, changes=change or ())
    part = folder.train[0].read() if folder else made_up_part(recipe.preparation.size)
    count = parts or (len(folder.train) if folder else 100)
    if extend is not None:
        manifest = Manifest.read(extend)
        recipe, count = manifest.profile, count + len(manifest.training_parts)
    planned = plan_of(recipe, count, part, device=chosen_device(device), weights_dir=weights_dir)
    if as_json:
        typer.echo(json.dumps(asdict(planned), indent=1))
        return
    _print(planned, "the first part" if folder else "a made-up part")


def _print(planned: Plan, measured: str) -> None:
    grid = f"{planned.size} x {planned.size} points"
    typer.echo(f"{planned.profile}, {grid}, {planned.parts} training parts; times measured on {measured}")
    typer.echo(f"{'bank':8}{'patches':>12}{'rows kept':>12}{'width':>8}{'MB':>9}{'search ms':>12}")
    for name, bank in planned.banks.items():
        typer.echo(
            f"{name:8}{bank.seen:>12,}{bank.rows:>12,}{bank.dimension:>8,}"
            f"{bank.disk_bytes / 1e6:>9.1f}{bank.search_ms:>12.1f}"
        )
    stages = ", ".join(f"{stage} {milliseconds:.0f}" for stage, milliseconds in planned.stages_ms.items())
    figures = {
        "version on disk": f"{planned.disk_bytes / 1e6:.1f} MB; "
        f"kept features {planned.kept_bytes / 1e6:.1f} MB",
        "banks in memory": f"{planned.memory_bytes / 1e6:.1f} MB, without the networks",
        "during the build": f"{planned.scratch_bytes / 1e6:.0f} MB of disk, about "
        f"{planned.build_peak_bytes / 1e6:.0f} MB of memory",
        "before the search": f"{stages} ms",
        "one part": f"about {planned.part_ms:.0f} ms from sample to score",
        "extraction": f"about {planned.extraction_s:.0f} s for all parts, then the banks are fitted",
    }
    if planned.training_s:
        figures["training"] = f"about {planned.training_s / 60:.1f} minutes, by a few timed steps"
    for name, figure in figures.items():
        typer.echo(f"{name:21}{figure}")
