"""`tribank banks`: what versions there are, what is in them, whether they are whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli.options import Banks, Device, Json, Product, Weights, chosen_device
from models.weights.folder import DEFAULT_WEIGHTS
from recipes.places import DEFAULT_BANKS

app = typer.Typer(no_args_is_help=True, help="Look at the bank versions of products.")

_NAMED = 5  # parts that a sentence names


@app.command("list")
def list_banks(banks: Banks = DEFAULT_BANKS, as_json: Json = False) -> None:
    """List the products and their versions; the active one is marked."""
    from banks.versions.store import BadBank, BankStore

    store = BankStore(banks)
    found: dict[str, dict[str, Any]] = {}
    for name in store.products():
        try:
            found[name] = {"active": store.current(name), "versions": store.versions(name)}
        except BadBank as error:
            found[name] = {"active": None, "versions": [], "problem": str(error)}
    if as_json:
        typer.echo(json.dumps(found))
        return
    table = Table("product", "active", "versions")
    for name, said in found.items():
        versions = (_marked(store.path(name, version)) for version in said["versions"])
        table.add_row(name, said["active"], escape(said.get("problem", " ".join(versions))))
    Console().print(table)


@app.command()
def show(product: Product, banks: Banks = DEFAULT_BANKS, as_json: Json = False) -> None:
    """Show a product's active version: recipe, banks, and its calibration in counts of parts."""
    from banks.versions.manifest import Manifest
    from banks.versions.store import BankStore

    path = BankStore(banks).path(product)
    if as_json:
        typer.echo(Manifest.read(path).model_dump_json())
        return
    print_version(product, path)


@app.command()
def verify(
    banks: Banks = DEFAULT_BANKS,
    probe: Annotated[bool, typer.Option("--probe", help="Score the probe of each, too.")] = False,
    weights_dir: Weights = DEFAULT_WEIGHTS,
    device: Device = "auto",
) -> None:
    """Check every file of every version against its manifest, and which versions and thresholds are in force.

    Exit code 1 if anything differs or cannot be read.
    """
    from banks.versions.store import BadBank, BankStore
    from banks.versions.verification import product_problems

    store = BankStore(banks)
    damaged = 0
    for product in store.products():
        around = product_problems(store, product)
        damaged += len(around)
        for problem in around:
            typer.echo(f"{product}: {problem}")
        try:
            versions = store.versions(product)
        except BadBank:
            continue  # said already
        for version in versions:
            problems = store.verify(product, version)
            if not problems and probe:
                problems = _probe_problems(store.path(product, version), weights_dir, chosen_device(device))
            damaged += bool(problems)
            said = "; ".join(problems) or _whole(store.path(product, version), scored=probe)
            typer.echo(f"{product} {version}: {said}")
    raise typer.Exit(1 if damaged else 0)


def _marked(path: Path) -> str:
    """A version's name, and what is to be known of it at once."""
    from banks.versions.manifest import Manifest

    try:
        return path.name if Manifest.read(path).probe else f"{path.name} (no probe)"
    except (OSError, ValueError):
        return f"{path.name} (damaged)"


def _probe_problems(path: Path, weights_dir: Path, device: str) -> list[str]:
    from banks.detector import Detector
    from banks.versions.store import BadBank
    from models.weights.store import BadWeights, MissingWeights

    try:
        Detector.load(path, device=device, weights_dir=weights_dir)
    except (BadBank, MissingWeights, BadWeights) as error:
        return [str(error)]
    return []


def _whole(path: Path, *, scored: bool) -> str:
    from banks.versions.manifest import Manifest

    if Manifest.read(path).probe is None:
        return "whole, but no probe: an older Tribank built it. Build it again to have one"
    return "whole, its probe scores as when it was built" if scored else "whole"


def print_version(product: str, path: Path) -> None:
    """A version in a few lines for people."""
    from banks.versions.manifest import Manifest

    manifest = Manifest.read(path)
    calibration = manifest.calibration
    banks, kept = (
        sum((path / name).stat().st_size for name in of) / 1e6 for of in (manifest.files, manifest.kept)
    )
    out = Console()
    out.print(
        f"{product} {path.name}: profile {manifest.profile.name}, banks {banks:.1f} MB, "
        f"kept features {kept:.1f} MB, {manifest.created}"
    )
    table = Table("bank", "patches seen", "rows kept", "width")
    for name, bank in manifest.banks.items():
        table.add_row(name, f"{bank.seen:,}", f"{bank.rows:,}", f"{bank.dimension:,}")
    out.print(table)
    out.print(f"{len(manifest.training_parts)} training parts; threshold {calibration.threshold:.4g}:")
    out.print(f"  {calibration.statement}")
    for name, reason in manifest.skipped_parts.items():
        out.print(f"  left out {name}: {reason}", markup=False)
    odd = manifest.without_plane
    if odd:
        named = ", ".join(odd[:_NAMED]) + (" and others" if len(odd) > _NAMED else "")
        out.print(
            f"  No support plane was found under {len(odd)} good parts: {named}. What lies around them was "
            "learned with them. Look at these scans. If no part lies on a plane, build with "
            "--set preparation.background=none.",
            markup=False,
        )
