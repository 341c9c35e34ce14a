"""`tribank banks`: list, show, verify, review, upgrade and prune bank versions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli.change_record import record
from cli.options import (
    Banks,
    Device,
    Json,
    Product,
    State,
    Weights,
    check_folder,
    chosen_device,
    is_typed,
)
from cli.travel import probe, pull, push
from models.weights.folder import DEFAULT_WEIGHTS
from recipes.places import DEFAULT_BANKS, DEFAULT_STATE

if TYPE_CHECKING:
    from banks.versions.store import BankStore

app = typer.Typer(no_args_is_help=True, help="List, show, verify, copy, upgrade and prune bank versions.")
app.command()(push)
app.command()(pull)
app.command()(probe)

_NAMED = 5  # parts that a message names


def _products(store: BankStore, product: str | None) -> list[str]:
    """The named product, or all. Raises FileNotFoundError without a bank folder, BankNotFound."""
    from banks.versions.store import BankNotFound

    check_folder(store.root, "--banks")
    products = store.folders()
    if product is None:
        return products
    if product not in products:
        raise BankNotFound(
            f"{store.root} has no product '{product}'. It has: {', '.join(products) or 'none'}."
        )
    return [product]


@app.command("list")
def list_banks(context: typer.Context, banks: Banks = DEFAULT_BANKS, as_json: Json = False) -> None:
    """List the products, their active version and all their versions."""
    from banks.versions.store import BadBank, BankStore

    store = BankStore(banks)
    products: dict[str, dict[str, Any]] = {}
    for name in _products(store, None) if is_typed(context, "banks") else store.folders():
        try:
            products[name] = {"active": store.current(name), "versions": store.versions(name)}
        except BadBank as error:
            products[name] = {"active": None, "versions": [], "problem": str(error)}
    if as_json:
        typer.echo(json.dumps(products))
        return
    table = Table("product", "active", "versions")
    for name, facts in products.items():
        versions = (_marked(store.path(name, version)) for version in facts["versions"])
        table.add_row(name, facts["active"], escape(facts.get("problem", " ".join(versions))))
    Console().print(table)


@app.command()
def show(product: Product, banks: Banks = DEFAULT_BANKS, as_json: Json = False) -> None:
    """Show a product's active version: profile, banks and calibration."""
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
    probe: Annotated[
        bool, typer.Option("--probe", help="Also score the probe part of each version.")
    ] = False,
    weights_dir: Weights = DEFAULT_WEIGHTS,
    device: Device = "auto",
) -> None:
    """Compare every file of every version with its manifest. Also check active versions and thresholds.

    Exits with 1 if a file differs or cannot be read.
    """
    from banks.versions.store import BadBank, BankStore
    from banks.versions.verification import product_problems

    store = BankStore(banks)
    damaged = 0
    for product in _products(store, None):
        product_faults = product_problems(store, product)
        damaged += len(product_faults)
        for problem in product_faults:
            typer.echo(f"{product}: {problem}")
        try:
            versions = store.versions(product)
        except BadBank:
            continue  # already reported
        for version in versions:
            problems = store.verify(product, version)
            if not problems and probe:
                problems = _probe_problems(store.path(product, version), weights_dir, chosen_device(device))
            damaged += bool(problems)
            result = "; ".join(problems) or _sound(store.path(product, version), scored=probe)
            typer.echo(f"{product} {version}: {result}")
    raise typer.Exit(1 if damaged else 0)


@app.command()
def prune(
    keep: Annotated[int, typer.Option(min=0, help="Newest versions of each product that stay.")],
    product: Annotated[str | None, typer.Option(help="Only this product. [default: all]")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be deleted.")] = False,
    banks: Banks = DEFAULT_BANKS,
    state: State = DEFAULT_STATE,
) -> None:
    """Delete old versions. The active version, the one before it, the shadow and pinned versions always stay.

    Each deletion is put on the record of changes in --state.
    """
    from banks.versions.store import BankStore

    store = BankStore(banks)
    for name in _products(store, product):
        for version in store.not_needed(name, keep=keep):
            if not dry_run:
                store.delete(name, version)
                record(state, "delete", product=name, bank_version=version)
            typer.echo(f"{name} {version}: {'would be deleted' if dry_run else 'deleted'}")


@app.command()
def pin(
    product: Product,
    version: Annotated[str, typer.Argument(help="Version that stays, such as v3.")],
    undo: Annotated[bool, typer.Option("--undo", help="Let the version be deleted again.")] = False,
    banks: Banks = DEFAULT_BANKS,
    state: State = DEFAULT_STATE,
) -> None:
    """Keep a version until it is unpinned. This is put on the record of changes in --state."""
    from banks.versions.store import BankStore

    store = BankStore(banks)
    before = {"pinned": version in store.pinned(product)}
    store.pin(product, version, keep=not undo)
    facts = {"product": product, "bank_version": version}
    record(state, "unpin" if undo else "pin", **facts, before=before, after={"pinned": not undo})
    typer.echo(f"{product}: pinned versions: {', '.join(store.pinned(product)) or 'none'}")


@app.command()
def upgrade(
    product: Annotated[str | None, typer.Option(help="Only this product. [default: all]")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be upgraded.")] = False,
    banks: Banks = DEFAULT_BANKS,
    state: State = DEFAULT_STATE,
) -> None:
    """Rewrite the manifests of versions that an older Tribank built. Scoring needs no upgrade: it reads both.

    An older Tribank may not read a version that was upgraded; the old manifest stays beside the new one. Each
    upgrade is put on the record of changes in --state. Exits with 1 if a version cannot be read.
    """
    from banks.versions import upgrade as upgrades
    from banks.versions.manifest_schemas import SCHEMA_VERSION
    from banks.versions.store import BankStore, reason

    store, unread = BankStore(banks), 0
    for name in _products(store, product):
        for version in store.versions(name):
            folder = store.path(name, version)
            try:
                schema = (upgrades.older_schema if dry_run else upgrades.upgrade)(folder)
            except (OSError, ValueError) as error:
                unread += 1
                typer.echo(f"{name} {version}: {reason(error)}")
                continue
            if schema is None:
                typer.echo(f"{name} {version}: up to date")
                continue
            done = "would be upgraded" if dry_run else "upgraded"
            typer.echo(f"{name} {version}: {done} from schema {schema} to {SCHEMA_VERSION}")
            if not dry_run:
                before, after = {"schema": schema}, {"schema": SCHEMA_VERSION}
                record(state, "upgrade", product=name, bank_version=version, before=before, after=after)
    raise typer.Exit(1 if unread else 0)


@app.command()
def odd(
    product: Product,
    version: Annotated[str | None, typer.Option(help="Version. [default: the active one]")] = None,
    good: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="A part that is good: it counts. Repeatable.")
    ] = None,
    drop: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="A part that is no good part. Repeatable.")
    ] = None,
    undo: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Take back what was said of a part. Repeatable.")
    ] = None,
    banks: Banks = DEFAULT_BANKS,
    state: State = DEFAULT_STATE,
    as_json: Json = False,
) -> None:
    """Show the good parts that score far outside the others, and say which of them are good.

    A part that is good counts again: the threshold follows at once from the kept scores. A dropped part never
    counts; take it out of the folder before the next build. What is said is put on the record of changes in
    --state.
    """
    from banks.versions.manifest import Manifest
    from banks.versions.reviews import PartReview, Review, review, reviews_of
    from banks.versions.store import BankStore
    from banks.versions.thresholds import calibration_of

    store = BankStore(banks)
    path = store.path(product, version)
    words: tuple[tuple[list[str] | None, Review | None], ...] = (
        (good, "good"),
        (drop, "dropped"),
        (undo, None),
    )
    said = [PartReview(part=name, review=word) for names, word in words for name in names or ()]
    before = reviews_of(path)
    if said:
        review(store, product, path.name, said)
    built = Manifest.read(path).calibration
    in_force, reviews = calibration_of(path, built), reviews_of(path)
    for one in said:
        record(
            state,
            "review",
            product=product,
            bank_version=path.name,
            subject=one.part,
            before={"review": before.get(one.part)},
            after={"review": reviews.get(one.part), "threshold": in_force.threshold},
        )
    rows = [{"part": part.name, "score": part.score, "review": reviews.get(part.name)} for part in built.odd]
    if as_json:
        typer.echo(json.dumps({"version": path.name, "threshold": in_force.threshold, "odd_parts": rows}))
        return
    for row in rows:
        typer.echo(f"{row['part']}  score {row['score']:.4g}  {row['review'] or 'not reviewed'}")
    typer.echo(f"{product} {path.name}: threshold {in_force.threshold:.4g}; {in_force.statement}.")


def _marked(path: Path) -> str:
    """A version's name, with a mark if the version is damaged or has no probe."""
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


def _sound(path: Path, *, scored: bool) -> str:
    """The result for a version without problems. scored: whether its probe was scored."""
    from banks.versions.manifest import Manifest

    if Manifest.read(path).probe is None:
        return "complete, but without a probe (built by an older Tribank). Build it again to get a probe"
    return "complete, and its probe has the same score as after the build" if scored else "complete"


def print_version(product: str, path: Path) -> None:
    """Print a version in a few lines."""
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
        out.print(f"  skipped {name}: {reason}", markup=False)
    for remark in manifest.remarks:
        out.print(f"  {remark}", markup=False)
    parts = manifest.without_plane
    if parts:
        names = ", ".join(parts[:_NAMED]) + (" and others" if len(parts) > _NAMED else "")
        out.print(
            f"  No support plane was found under {len(parts)} good parts: {names}. Their background was "
            "learned as part of them. Check these scans. If no part lies on a plane, build with "
            "--set preparation.background=none.",
            markup=False,
        )
