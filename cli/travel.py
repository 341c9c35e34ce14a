"""`tribank banks push`, `pull` and `probe`: versions go to a shared folder, and from there to other hosts."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from cli.change_record import record
from cli.options import Banks, Device, Product, State, Weights, chosen_device
from models.weights.folder import DEFAULT_WEIGHTS
from recipes.places import DEFAULT_BANKS, DEFAULT_STATE

Source = Annotated[
    Path,
    typer.Argument(
        help="Bank folder that both hosts reach, or an archive of one version as a server sends it."
    ),
]
Folder = Annotated[Path, typer.Argument(help="Bank folder that both hosts reach, such as a network share.")]
Version = Annotated[str | None, typer.Option(help="Version that goes. [default: the active version]")]
Activate = Annotated[bool, typer.Option(help="Make the version the active one where it arrives.")]


def push(
    product: Product,
    folder: Folder,
    version: Version = None,
    activate: Activate = True,
    banks: Banks = DEFAULT_BANKS,
) -> None:
    """Copy a version to another bank folder, with its moved threshold and its reviews."""
    _carry(banks, folder, product, version, activate)


def pull(
    product: Product,
    source: Source,
    version: Version = None,
    activate: Activate = True,
    probe: Annotated[
        bool,
        typer.Option(help="Refuse a version whose probe part scores otherwise here than where it was built."),
    ] = True,
    banks: Banks = DEFAULT_BANKS,
    weights_dir: Weights = DEFAULT_WEIGHTS,
    device: Device = "auto",
    state: State = DEFAULT_STATE,
) -> None:
    """Copy a version from another bank folder or an archive. Check that it scores here as where it was built.

    A server that runs here uses the version as soon as it is active. The activation is put on the record of
    changes in --state.
    """

    def scores_as_built(staged: Path) -> None:
        _probe(staged, weights_dir, device)

    _carry(source, banks, product, version, activate, scores_as_built if probe else None, state)


def probe(
    folder: Annotated[Path, typer.Argument(help="Folder of one version, with its manifest.")],
    weights_dir: Weights = DEFAULT_WEIGHTS,
    device: Device = "auto",
) -> None:
    """Load a version from its folder and score its probe part. A server does so with a version that arrives.

    Exits with 2 where the version cannot be used here.
    """
    _probe(folder, weights_dir, device)


def _probe(folder: Path, weights_dir: Path, device: str) -> None:
    """Raises BadBank, MissingWeights, BadWeights."""
    from banks.detector import Detector

    Detector.load(folder, device=chosen_device(device), weights_dir=weights_dir)


def _carry(
    source: Path,
    target: Path,
    product: str,
    version: str | None,
    activate: bool,
    check: Callable[[Path], None] | None = None,
    state: Path | None = None,
) -> None:
    """state: the state folder with the record of changes of the target, if the target has one."""
    from banks.versions.archive import take_in
    from banks.versions.store import BadBank, BankStore
    from banks.versions.travel import carry

    if source.is_file() and version is not None:
        raise typer.BadParameter("An archive holds one version. Leave --version out.", param_hint="--version")
    there, before = BankStore(target), None
    with suppress(BadBank):  # a damaged `current` is written anew
        before = there.current(product)
    if source.is_file():
        arrived = take_in(source, there, product, check=check, activate=activate)
    else:
        arrived = carry(BankStore(source), there, product, version, check=check, activate=activate)
    if activate and state is not None and before != arrived.name:
        states = {"before": {"active": before}, "after": {"active": arrived.name}}
        record(state, "activate", product=product, bank_version=arrived.name, **states)
    done = "copied" if arrived.new else "there already"
    typer.echo(f"{product} {arrived.name}: {done}{', active' if activate else ''}")
