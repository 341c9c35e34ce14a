"""`tribank banks push`, `pull` and `probe`: versions go to a shared place, and from there to other hosts."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.change_record import record
from cli.options import Banks, Device, Product, State, Weights, chosen_device
from models.weights.folder import DEFAULT_WEIGHTS
from recipes.places import DEFAULT_BANKS, DEFAULT_STATE

if TYPE_CHECKING:
    from banks.versions.travel import Arrived

Source = Annotated[
    str,
    typer.Argument(
        help="Where the version comes from: a bank folder that both hosts reach, an object store such as "
        "s3://bucket/prefix, the address of a server such as http://host:8000, or an archive of one version "
        "as a server sends it."
    ),
]
Target = Annotated[
    str,
    typer.Argument(
        help="Where the version goes: a bank folder that both hosts reach, an object store such as "
        "s3://bucket/prefix, or the address of a server such as http://line1:8000."
    ),
]
Version = Annotated[str | None, typer.Option(help="Version that goes. [default: the active version]")]
Activate = Annotated[bool, typer.Option(help="Make the version the active one where it arrives.")]
Key = Annotated[str, typer.Option(envvar="TRIBANK_KEY", help="API key, if a server needs one.")]


def push(
    product: Product,
    target: Target,
    version: Version = None,
    activate: Activate = True,
    banks: Banks = DEFAULT_BANKS,
    key: Key = "",
) -> None:
    """Copy a version to a bank folder, an object store or a server, with its moved threshold and its reviews.

    A server needs a key of role manage. It checks that the version scores there as where it was built. The
    credentials of an object store come from the environment.
    """
    from banks.versions.archive import Archive
    from banks.versions.store import BankStore
    from banks.versions.travel import Arrived, carry

    source = BankStore(banks)
    if _is_address(target):
        from cli.server_versions import ServerVersions

        server = ServerVersions(target, key)
        with Archive(source, product, version) as archive:
            arrived = Arrived(*server.send(archive))
        if activate:
            server.activate(product, arrived.name)
    elif _is_url(target):
        from banks.versions.object_store import ObjectStore

        arrived = ObjectStore(target).send(source, product, version, activate=activate)
    else:
        arrived = carry(source, BankStore(Path(target)), product, version, activate=activate)
    _tell(product, arrived, activate)


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
    key: Key = "",
) -> None:
    """Copy a version from a bank folder, object store, server or archive. It must score here as when built.

    A server that runs here uses the version as soon as it is active. The activation is put on the record of
    changes in --state.
    """

    def scores_as_built(staged: Path) -> None:
        _probe(staged, weights_dir, device)

    from banks.versions.archive import take_in
    from banks.versions.store import BadBank, BankStore
    from banks.versions.travel import Landing, carry

    there, before, check = BankStore(banks), None, scores_as_built if probe else None
    with suppress(BadBank):  # a damaged `current` is written anew
        before = there.current(product)
    if _is_address(source):
        from cli.server_versions import ServerVersions

        server = ServerVersions(source, key)
        with Landing(there, product) as landing:
            server.fetch(product, version or server.active(product), landing)
            arrived = landing.end(check=check, activate=activate)
    elif _is_url(source):
        from banks.versions.object_store import ObjectStore

        with Landing(there, product) as landing:
            ObjectStore(source).fetch(product, version, landing)
            arrived = landing.end(check=check, activate=activate)
    elif Path(source).is_file():
        if version is not None:
            detail = "An archive holds one version. Leave --version out."
            raise typer.BadParameter(detail, param_hint="--version")
        arrived = take_in(Path(source), there, product, check=check, activate=activate)
    else:
        arrived = carry(BankStore(Path(source)), there, product, version, check=check, activate=activate)
    if activate and before != arrived.name:
        states = {"before": {"active": before}, "after": {"active": arrived.name}}
        record(state, "activate", product=product, bank_version=arrived.name, **states)
    _tell(product, arrived, activate)


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


def _is_address(place: str) -> bool:
    """Whether a place is the address of a server, not a path."""
    return place.startswith(("http://", "https://"))


def _is_url(place: str) -> bool:
    """Whether a place is an object store, where it is no server."""
    return "://" in place


def _tell(product: str, arrived: Arrived, activate: bool) -> None:
    done = "copied" if arrived.new else "there already"
    typer.echo(f"{product} {arrived.name}: {done}{', active' if activate else ''}")
