"""Versions in an object store, such as a bucket of S3.

    blobs/<sha256>                                   every file of every version, once
    products/<product>/<version>/version.json        the sha256 of the version's manifest; never replaced
    products/<product>/<version>/thresholds.json     what people said of the version, as odd_parts.json does
    products/<product>/active.json                   the active version

A blob's name is its content, so versions and products share equal files, and a push that was interrupted goes
on where it ended. `version.json` is put last: a version is whole or absent. It is only put where there is
none, so two pushes at once never take one name. The JSON carries a checksum.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from banks.versions.leftovers import VERSION_NAME
from banks.versions.manifest import MANIFEST, Digest
from banks.versions.objects import Objects, ObjectTooLarge
from banks.versions.seal import parse, sealed, unsealed
from banks.versions.store import PRODUCT_NAME, BankNotFound, BankStore
from banks.versions.travel import MOST_MANIFEST_BYTES, SAID, Arrived, BadParcel, Landing, Parcel
from recipes.sentences import sentences

_T = TypeVar("_T", bound=BaseModel)
_MOST_BYTES = 1 << 20
"""Of each JSON document, but for the manifest."""
_PRODUCTS, _ACTIVE, _VERSION = "products", "active.json", "version.json"


class _Active(BaseModel):
    """The content of `active.json`."""

    model_config = ConfigDict(frozen=True)

    active: str


class _Version(BaseModel):
    """The content of `version.json`. manifest: its sha256."""

    model_config = ConfigDict(frozen=True)

    format: Literal[1] = 1
    manifest: Digest


class ObjectStore:
    """The versions in one store. One thread at a time may send. The methods raise StoreFailed."""

    def __init__(self, url: str) -> None:
        """url: such as s3://bucket/prefix."""
        self._objects = Objects(url)

    def versions(self, product: str) -> list[str]:
        """The names of a product's versions, oldest first, also of damaged ones. Raises BankNotFound for a
        bad name."""
        names = [name for name in self._objects.names(_folder(product)) if VERSION_NAME.match(name)]
        return sorted(names, key=_number)

    def active(self, product: str) -> str:
        """The active version of a product. Raises BankNotFound without one, BadParcel."""
        key = f"{_folder(product)}/{_ACTIVE}"
        document = self._document(key)
        if document is None:
            raise self._missing(product, "active version", "Name a --version.")
        return self._checked(_Active, key, document).active

    def parcel(self, product: str, version: str | None = None) -> Parcel:
        """What is known of a version. version: None is the active one. Raises BankNotFound, BadParcel."""
        name = self.active(product) if version is None else version
        digest = self._manifest_of(product, name)
        if digest is None:
            raise self._missing(product, f"version '{name}'")
        try:
            manifest = self._objects.read(_blob(digest), MOST_MANIFEST_BYTES)
        except ObjectTooLarge as error:
            raise BadParcel(str(error)) from None
        if manifest is None or hashlib.sha256(manifest).hexdigest() != digest:
            raise self._damaged(digest)
        said = {file: self._document(f"{_folder(product)}/{name}/{file}") for file in SAID}
        words = {file: document.get("said") for file, document in said.items() if document is not None}
        return Parcel(product, name, manifest, words)

    def size(self, parcel: Parcel, name: str) -> int:
        """Bytes of a file of a version. Raises BadParcel where the file is missing."""
        size = self._objects.size(_blob(parcel.files[name]))
        if size is None:
            raise self._damaged(parcel.files[name])
        return size

    def pieces(self, parcel: Parcel, name: str) -> Iterator[bytes]:
        """The bytes of a file, at most 16 MiB at once. Raises BadParcel at the end of a damaged file."""
        digest = parcel.files[name]
        hashed = hashlib.sha256()
        for piece in self._objects.pieces(_blob(digest)):
            hashed.update(piece)
            yield piece
        if hashed.hexdigest() != digest:
            raise self._damaged(digest)

    def fetch(self, product: str, version: str | None, landing: Landing) -> None:
        """Let a version arrive in a landing. version: None is the active one.

        Raises BankNotFound, BadParcel, OSError, and as `Landing.begin`.
        """
        parcel = self.parcel(product, version)
        landing.begin(parcel)
        for name in parcel.files:
            if (place := landing.place(name)) is not None:
                with place.open("xb") as file:
                    for piece in self.pieces(parcel, name):
                        file.write(piece)

    def send(
        self, source: BankStore, product: str, version: str | None = None, *, activate: bool = True
    ) -> Arrived:
        """Put a version of a bank folder there, with what people said of it, unless something was said there.

        version: None is the active one. activate: whether to make it the active one in the store.

        Raises BankNotFound, BadBank, OSError.
        """
        parcel = Parcel.of(source, product, version)
        path = source.path(product, parcel.version)
        for file, digest in (*parcel.files.items(), (MANIFEST, parcel.digest)):
            if self._objects.size(_blob(digest)) != (path / file).stat().st_size:
                self._objects.put(_blob(digest), path / file)
        name, new = self._named_there(parcel), False
        if name is None:
            name, new = self._publish(parcel)
        for file, word in parcel.said.items():
            self._objects.create(f"{_folder(product)}/{name}/{file}", sealed({"said": word}).encode())
        if activate:
            content = sealed(_Active(active=name).model_dump())
            self._objects.replace(f"{_folder(product)}/{_ACTIVE}", content.encode())
        return Arrived(name, new)

    def _publish(self, parcel: Parcel) -> tuple[str, bool]:
        """Take the next free name. Returns the name, and whether the version was not there yet."""
        content = sealed(_Version(manifest=parcel.digest).model_dump()).encode()
        there = self.versions(parcel.product)
        for number in count(_number(there[-1]) + 1 if there else 1):
            name = f"v{number}"
            if self._objects.create(f"{_folder(parcel.product)}/{name}/{_VERSION}", content):
                return name, True
            if self._manifest_of(parcel.product, name) == parcel.digest:
                return name, False
        raise AssertionError

    def _named_there(self, parcel: Parcel) -> str | None:
        """The name under which the version is there already."""
        for name in self.versions(parcel.product):
            try:
                if self._manifest_of(parcel.product, name) == parcel.digest:
                    return name
            except BadParcel:
                continue  # a damaged version is no version, but keeps its name
        return None

    def _manifest_of(self, product: str, version: str) -> str | None:
        """The sha256 of a version's manifest; None where there is no such version. Raises BadParcel."""
        if not VERSION_NAME.match(version):
            return None
        key = f"{_folder(product)}/{version}/{_VERSION}"
        document = self._document(key)
        return None if document is None else self._checked(_Version, key, document).manifest

    def _document(self, key: str) -> Mapping[str, Any] | None:
        """A JSON document; None where there is none. Raises BadParcel."""
        try:
            content = self._objects.read(key, _MOST_BYTES)
            return None if content is None else unsealed(parse(content))
        except (ValueError, RecursionError) as error:
            raise BadParcel(f"{self._objects.url}/{key} cannot be read: {error}.") from error

    def _checked(self, kind: type[_T], key: str, document: Mapping[str, Any]) -> _T:
        """Raises BadParcel."""
        try:
            return kind.model_validate(document)
        except ValidationError as error:
            reasons = "; ".join(sentences(error))
            raise BadParcel(
                f"{self._objects.url}/{key} is not as this Tribank writes it: {reasons}."
            ) from None

    def _missing(self, product: str, what: str, advice: str = "") -> BankNotFound:
        """What to raise for a product without `what`. A store without any product is a mistyped URL."""
        if not self._objects.names(_PRODUCTS):
            return BankNotFound(f"{self._objects.url} holds no product. Is the address right?")
        return BankNotFound(f"Product '{product}' has no {what} in {self._objects.url}. {advice}".rstrip())

    def _damaged(self, digest: str) -> BadParcel:
        return BadParcel(
            f"{self._objects.url}/{_blob(digest)} is missing or damaged. Remove the object, and push the "
            "version again from where it is whole."
        )


def _folder(product: str) -> str:
    """Raises BankNotFound for a bad name."""
    if not PRODUCT_NAME.match(product):
        raise BankNotFound(f"'{product[:80]}' is not a product name.")
    return f"{_PRODUCTS}/{product}"


def _blob(digest: str) -> str:
    return f"blobs/{digest}"


def _number(version: str) -> int:
    return int(version[1:])
