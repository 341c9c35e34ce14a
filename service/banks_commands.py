"""`tribank banks`: what versions there are, what is in them, whether they are whole."""

from __future__ import annotations

import json
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table

from service.options import DEFAULT_BANKS, Banks, Json, Product

app = typer.Typer(no_args_is_help=True, help="Look at the bank versions of products.")


@app.command("list")
def list_banks(banks: Banks = DEFAULT_BANKS, as_json: Json = False) -> None:
    """List the products and their versions; the active one is marked."""
    from banks.store import BankStore

    store = BankStore(banks)
    found = {name: (store.current(name), store.versions(name)) for name in store.products()}
    if as_json:
        typer.echo(json.dumps({name: {"active": a, "versions": v} for name, (a, v) in found.items()}))
        return
    table = Table("product", "active", "versions")
    for name, (active, versions) in found.items():
        table.add_row(name, active, " ".join(versions))
    Console().print(table)


@app.command()
def show(product: Product, banks: Banks = DEFAULT_BANKS, as_json: Json = False) -> None:
    """Show a product's active version: recipe, banks, and its calibration in counts of parts."""
    from banks.manifest import Manifest
    from banks.store import BankStore

    path = BankStore(banks).path(product)
    if as_json:
        typer.echo(Manifest.read(path).model_dump_json())
        return
    print_version(product, path)


@app.command()
def verify(banks: Banks = DEFAULT_BANKS) -> None:
    """Check every file of every version against its manifest. Exit code 1 if any differs."""
    from banks.store import BankStore

    store = BankStore(banks)
    damaged = 0
    for product in store.products():
        for version in store.versions(product):
            problems = store.verify(product, version)
            damaged += bool(problems)
            typer.echo(f"{product} {version}: {'; '.join(problems) or 'whole'}")
    raise typer.Exit(1 if damaged else 0)


def print_version(product: str, path: Path) -> None:
    """A version in a few lines for people."""
    from banks.manifest import Manifest

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
