"""Versions travel from one bank folder to another: from a build host to the hosts of the lines."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from banks.versions import reviews, thresholds
from banks.versions.manifest import MANIFEST
from banks.versions.store import BadBank, BankStore, verify_files
from models.digest import sha256_of


@dataclass(frozen=True, slots=True)
class Arrived:
    """A version in the folder where it went.

    name: of the version there. new: whether it was not there yet.
    """

    name: str
    new: bool


def carry(
    source: BankStore,
    target: BankStore,
    product: str,
    version: str | None = None,
    *,
    check: Callable[[Path], None] | None = None,
    activate: bool = True,
) -> Arrived:
    """Copy a version, with the threshold that a person moved and the reviews of its odd parts.

    The copy is checked by sha256 and published by one rename; a copy that is killed leaves nothing in use. It
    gets the next free name. A version that is there already, by its manifest, is not copied again. What
    people said of it there stays.

    version: None is the active version of the source.
    check: called with the copy before it is published; raises to refuse it.
    activate: whether to make the version the active one.

    Raises BankNotFound; BadBank where files are not as their manifest says, here or there; OSError.
    """
    path = source.path(product, version)
    if problems := verify_files(path):
        raise BadBank(f"Version {path.name} of {product} is damaged: {'; '.join(problems)}.")
    name = _known_as(path, target, product)
    new = name is None
    if name is None:
        name = _copied(path, target, product, check)
    there = target.path(product, name)
    for said in (thresholds.FILE, reviews.FILE):
        said.copy(path, there)
    if activate:
        target.activate(product, name)
    return Arrived(name, new)


def _known_as(path: Path, target: BankStore, product: str) -> str | None:
    """The name under which the target has a version directory."""
    content = sha256_of(path / MANIFEST)
    for name in target.versions(product):
        manifest = target.path(product, name) / MANIFEST
        if manifest.is_file() and sha256_of(manifest) == content:
            return name
    return None


def _copied(path: Path, target: BankStore, product: str, check: Callable[[Path], None] | None) -> str:
    def whole(staged: Path) -> None:
        if problems := verify_files(staged):
            raise BadBank(f"The copy of version {path.name} is damaged: {'; '.join(problems)}.")
        if check is not None:
            check(staged)

    with target.building(product) as scratch:
        shutil.copytree(path, scratch, dirs_exist_ok=True)
        return target.publish(product, scratch, check=whole, activate=False)
