"""`tribank train-uff`: train one fusion network for many products."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.options import Change, Device, Prepared, ProfileName, Weights, chosen_device
from cli.progress import console, stage_bars
from models.weights.folder import DEFAULT_WEIGHTS

FILE = "uff.safetensors"


def train_uff(
    products: Annotated[
        list[Path], typer.Argument(help="Product folders, as for 'tribank build'. Good parts are used.")
    ],
    profile: ProfileName = "m3dm",
    output: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help=f"File to write. [default: {FILE} in --weights-dir, where profiles find it]"
        ),
    ] = None,
    change: Change = None,
    prepared: Prepared = False,
    weights_dir: Weights = DEFAULT_WEIGHTS,
    device: Device = "auto",
) -> None:
    """Train one fusion network (UFF) on the good parts of several products.

    To continue a stopped run, run the same command again. Change settings of the training with --set, for
    example --set extraction.training.steps=750.
    """
    from banks.versions.shared_fusion import SharedFusion
    from models.readers.product_folder import open_product_folder
    from recipes.profiles import find_profile

    out = output or weights_dir / FILE
    if out.exists():
        raise typer.BadParameter(f"{out} exists. Move it away or choose another file.", param_hint="--out")
    folders = {path.resolve().name: open_product_folder(path) for path in products}
    if len(folders) < len(products):
        raise typer.BadParameter("two folders have the same name. Rename one.", param_hint="PRODUCTS")
    for name, folder in folders.items():
        for note in folder.skipped:
            console.print(f"skipped: {name}: {note}", markup=False)
    recipe = find_profile(profile, prepared=prepared, changes=change or ())
    run = out.with_name(f"{out.name}.run")
    with stage_bars() as progress:
        training = SharedFusion(recipe, run, weights_dir, chosen_device(device), progress)
        skipped = training.train(folders, out)
    for name, reason in skipped.items():
        console.print(f"skipped {name}: {reason}", markup=False)
    typer.echo(f"{out} was written. Profiles with the fusion 'uff' use it (--set extraction.fusion=uff).")
