"""Versions travel from one bank folder to another: from a build host to the hosts of the lines.

A version travels as a copy of its files (`carry`) or as one archive (`banks.versions.archive`). Both ways end
in a `Landing`.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from pydantic import ValidationError

from banks.versions import reviews, thresholds
from banks.versions.manifest import MANIFEST, Manifest
from banks.versions.said_files import SaidFile
from banks.versions.store import BadBank, BankStore, reason, verify_files
from models.digest import sha256_of

SAID: Mapping[str, SaidFile[Any]] = {file.name: file for file in (thresholds.FILE, reviews.FILE)}
"""The files with what people said of a version, by name."""
MOST_FILES = 1000
"""Files of one version. Versions have some twenty."""
MOST_MANIFEST_BYTES = 16 << 20
"""Of a manifest that arrives."""


class BadParcel(BadBank):
    """What arrives is damaged, incomplete, or no version."""


class OtherProduct(ValueError):
    """The version that arrives is of another product than the one where it shall go.

    product: the version's own.
    """

    def __init__(self, product: str, wanted: str) -> None:
        super().__init__(f"This is a version of product {product}, not of {wanted}.")
        self.product = product


@dataclass(frozen=True, slots=True)
class Arrived:
    """A version in the folder where it went.

    name: of the version there. new: whether it was not there yet.
    """

    name: str
    new: bool


@dataclass(frozen=True)
class Parcel:
    """What is known of a version before its files arrive.

    product, version: its names where it comes from.
    manifest: the bytes of its manifest.
    said: what people said of it, as JSON, by the name of the file (`SAID`).
    """

    product: str
    version: str
    manifest: bytes
    said: Mapping[str, Any]

    @classmethod
    def of(cls, store: BankStore, product: str, version: str | None = None) -> Parcel:
        """Of a version on disk, whose files are checked. version: None is the active one.

        Raises BankNotFound, OSError; BadBank where a file is not as its manifest says.
        """
        path = store.path(product, version)
        if problems := verify_files(path):
            raise BadBank(f"Version {path.name} of {product} is damaged: {'; '.join(problems)}.")
        found = {name: (file, file.of(path)) for name, file in SAID.items()}
        said = {name: file.dumped(word) for name, (file, word) in found.items() if word is not None}
        return cls(product, path.name, (path / MANIFEST).read_bytes(), said)

    @cached_property
    def files(self) -> Mapping[str, str]:
        """sha256 of the version's files by name, without the manifest. Raises BadParcel."""
        try:
            manifest = Manifest.parsed(self.manifest)
        except ValueError as error:
            raise BadParcel(f"{MANIFEST} of version {self.version}: {reason(error)}.") from error
        files = manifest.files | manifest.kept
        if MANIFEST in files or len(files) > MOST_FILES:
            raise BadParcel(f"{MANIFEST} of version {self.version} lists files that no version has.")
        return files

    def checked_said(self) -> Mapping[str, Any]:
        """What people said, in the types of `SAID`. Raises BadParcel."""
        try:
            return {name: SAID[name].entry.validate_python(word) for name, word in self.said.items()}
        except (KeyError, ValidationError):
            raise BadParcel(f"What people said of version {self.version} cannot be read.") from None

    @property
    def digest(self) -> str:
        """Hex sha256 of the manifest. Two versions with one digest are the same version."""
        return hashlib.sha256(self.manifest).hexdigest()


class Landing:
    """A version that arrives in a bank folder. `close` removes what did not arrive whole.

    `begin`, then every file at its `place`, then `end`. The methods block, and are for one thread at a time.
    """

    def __init__(self, target: BankStore, product: str) -> None:
        """product: where the version shall go."""
        self._target = target
        self._product = product
        self._held = ExitStack()
        self._said: Mapping[str, Any] = {}
        self._known: str | None = None
        self._owned: Mapping[str, Path] = {}
        self.parcel: Parcel | None = None
        """What arrives, once it is known."""
        self.folder: Path | None = None
        """Where the files go before the version is published; None for a version that is there already."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove what was not published."""
        self._held.close()

    def on_close(self, call: Callable[[], None]) -> None:
        """Call this before the files are removed."""
        self._held.callback(call)

    def begin(self, parcel: Parcel) -> None:
        """Make room for a version, unless it is there already.

        Raises OtherProduct, BadParcel, BankNotFound for a bad name, OSError; BadBank where a file of the
        product is damaged here.
        """
        if parcel.product != self._product:
            raise OtherProduct(parcel.product, self._product)
        files, self.parcel = parcel.files, parcel
        self._said = parcel.checked_said()
        for file in SAID.values():  # a damaged one would be found when the version is already published
            file.read(self._target.root / self._product)
        self._known = self._named_there()
        if self._known is None:
            self._owned = self._files_there()
            self.folder = self._held.enter_context(self._target.building(self._product))
            for name in files:
                (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / MANIFEST).write_bytes(parcel.manifest)

    def place(self, name: str) -> Path | None:
        """Where a file of the version goes; None for a file that need not come.

        Such a file is there already, or another version of the product there has the same file. Then both
        versions share the file by a hard link: no published file is ever written to.
        """
        assert self.parcel is not None
        if self.folder is None:
            return None
        place, digest = self.folder / name, self.parcel.files[name]
        owned = self._owned.get(digest)
        return None if owned is not None and _linked(owned, place, digest) else place

    def end(self, *, check: Callable[[Path], None] | None = None, activate: bool = False) -> Arrived:
        """Publish the version, with what people said of it, unless something was said of it here.

        check: called with the folder before it is published; raises to refuse it.
        activate: whether to make the version the active one.

        Raises BadParcel where files are not as their manifest says; OSError.
        """
        parcel, name = self.parcel, self._known
        assert parcel is not None
        new = self.folder is not None
        if self.folder is not None:

            def whole(staged: Path) -> None:
                if problems := verify_files(staged):
                    raise BadParcel(
                        f"The copy of version {parcel.version} is damaged: {'; '.join(problems)}."
                    )
                if check is not None:
                    check(staged)

            def known() -> str | None:  # another copy of the version may have arrived meanwhile
                self._known = self._named_there()
                return self._known

            name = self._target.publish(self._product, self.folder, check=whole, activate=False, known=known)
            new = self._known is None
        assert name is not None
        path = self._target.path(self._product, name)
        for file, word in self._said.items():
            SAID[file].add(path, word)
        if activate:
            self._target.activate(self._product, name)
        return Arrived(name, new)

    def _named_there(self) -> str | None:
        """The name under which the version is there already."""
        assert self.parcel is not None
        for name in self._target.versions(self._product):
            manifest = self._target.root / self._product / name / MANIFEST
            if manifest.is_file() and sha256_of(manifest) == self.parcel.digest:
                return name
        return None

    def _files_there(self) -> Mapping[str, Path]:
        """The files of the product's versions there, by the sha256 that their manifests name."""
        found: dict[str, Path] = {}
        for name in self._target.versions(self._product):
            folder = self._target.root / self._product / name
            try:
                manifest = Manifest.read(folder)
            except (OSError, ValueError):
                continue  # a damaged version lends nothing
            found |= {digest: folder / file for file, digest in (manifest.files | manifest.kept).items()}
        return found


def _linked(owned: Path, place: Path, digest: str) -> bool:
    """Give a file a second name, if its content is as it should be and the file system has such links."""
    try:
        if sha256_of(owned) != digest:
            return False
        place.hardlink_to(owned)
    except OSError:
        return False
    return True


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
    parcel = Parcel.of(source, product, version)
    path = source.path(product, parcel.version)
    with Landing(target, product) as landing:
        landing.begin(parcel)
        for name in parcel.files:
            if (place := landing.place(name)) is not None:
                shutil.copyfile(path / name, place)
        return landing.end(check=check, activate=activate)
