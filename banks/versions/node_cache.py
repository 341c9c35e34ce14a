"""Versions on a local disk, so that a host reads each from a network once.

    <cache>/blobs/<sha256>                           every file once, also of versions that share it
    <cache>/versions/<product>.<version>.<sha256 of the manifest>/<product>/<version>/    hard links to them

Only what scoring needs is brought. Moved thresholds and reviews change, and are not in the cache.

A version's folder is made by one rename. Whoever brings files holds a lock on the cache, so the next one may
remove what a killed process left. Whoever loads a version holds a shared lock on it, and a version that is
held is not removed.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
import time
import uuid
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Protocol

from banks.versions.leftovers import exclusive
from banks.versions.manifest import MANIFEST, Manifest
from banks.versions.store import BadBank, BankStore, reason, verify_files
from banks.versions.travel import BadParcel, Parcel
from models.digest import sha256_of

_PIECE_BYTES = 1 << 20
_TRIES = 3


class CacheFull(RuntimeError):
    """The cache has no room for a version, because the version is larger, or others are being loaded."""


class Source(Protocol):
    """Where versions come from: `FolderSource`, or `banks.versions.object_store.ObjectStore`.

    parcel: what is known of a version. size: bytes of one of its files, by name. pieces: its bytes.
    All raise BankNotFound and BadBank, and errors of the place.
    """

    def parcel(self, product: str, version: str) -> Parcel: ...
    def size(self, parcel: Parcel, name: str) -> int: ...
    def pieces(self, parcel: Parcel, name: str) -> Iterator[bytes]: ...


class FolderSource:
    """The versions of a bank folder, such as one on a network file system."""

    def __init__(self, store: BankStore) -> None:
        self._store = store

    def parcel(self, product: str, version: str) -> Parcel:
        """What is known of a version. Raises BankNotFound, BadBank."""
        path = self._store.path(product, version)
        with _readable(f"{product} {version}", MANIFEST):
            return Parcel(product, path.name, (path / MANIFEST).read_bytes(), {})

    def size(self, parcel: Parcel, name: str) -> int:
        """Bytes of a file. Raises BankNotFound, BadBank."""
        path = self._store.path(parcel.product, parcel.version)
        with _readable(f"{parcel.product} {parcel.version}", name):
            return (path / name).stat().st_size

    def pieces(self, parcel: Parcel, name: str) -> Iterator[bytes]:
        """The bytes of a file, at most 1 MiB at once. Raises BankNotFound, BadBank."""
        path = self._store.path(parcel.product, parcel.version)
        version = f"{parcel.product} {parcel.version}"
        with _readable(version, name):
            file = (path / name).open("rb")
        with file:
            while True:
                with _readable(version, name):
                    piece = file.read(_PIECE_BYTES)
                if not piece:
                    return
                yield piece


class NodeCache:
    """A cache in a local folder. Several threads and processes may use one folder at once."""

    def __init__(self, source: Source, folder: Path, most_bytes: int) -> None:
        """folder: on a file system with hard links. most_bytes: of all files in the cache."""
        self._source = source
        self._folder = folder
        self._blobs = folder / "blobs"
        self._versions = folder / "versions"
        self._most_bytes = most_bytes

    @contextmanager
    def fetch(self, product: str, version: str) -> Iterator[Path]:
        """The local folder of a version, `.../<product>/<version>`, whole and checked by sha256.

        The folder stays while the `with` block runs: load the detector there. After it another version may
        take its room.

        Raises BankNotFound; BadBank where the version is damaged at its source; CacheFull; OSError where the
        local disk fails; and errors of the source.
        """
        parcel = self._source.parcel(product, version)
        entry = self._versions / f"{product}.{parcel.version}.{parcel.digest}"
        for _ in range(_TRIES):
            with _held(entry) as is_there:
                if is_there and _is_whole(entry, parcel):
                    now = time.time_ns()  # finer than the time that the system would take
                    os.utime(entry, ns=(now, now))
                    yield entry / product / parcel.version
                    return
            self._bring(parcel, entry)
        raise OSError(errno.EIO, "the copy of a version is damaged whenever it is made", str(entry))

    def _bring(self, parcel: Parcel, entry: Path) -> None:
        """Make a version's folder, unless another process made it meanwhile."""
        self._blobs.mkdir(parents=True, exist_ok=True)
        self._versions.mkdir(exist_ok=True)
        with exclusive(self._folder):
            for killed in (*self._blobs.glob(".*"), *self._versions.glob(".*")):
                _remove(killed)
            if entry.is_dir():
                if _is_whole(entry, parcel):
                    return
                _remove(entry)
            files = _files_of(parcel)
            missing = {digest: name for name, digest in files.items() if not self._has(digest)}
            self._make_room(sum(self._size(parcel, name) for name in missing.values()), set(files.values()))
            for digest, name in missing.items():
                self._bring_file(parcel, name, digest)
            staged = self._versions / f".{uuid.uuid4().hex}"
            for name, digest in files.items():
                link = staged / parcel.product / parcel.version / name
                link.parent.mkdir(parents=True, exist_ok=True)
                link.hardlink_to(self._blobs / digest)
            staged.rename(entry)

    def _bring_file(self, parcel: Parcel, name: str, digest: str) -> None:
        hashed, fresh = hashlib.sha256(), self._blobs / f".{uuid.uuid4().hex}"
        pieces = iter([parcel.manifest]) if name == MANIFEST else self._source.pieces(parcel, name)
        try:
            with fresh.open("xb") as file:
                for piece in pieces:
                    hashed.update(piece)
                    file.write(piece)
            if hashed.hexdigest() != digest:
                detail = "changed since it was built (sha256 differs)"
                raise BadParcel(f"Version {parcel.version} of {parcel.product} is damaged: {name}: {detail}.")
            fresh.rename(self._blobs / digest)
        finally:
            fresh.unlink(missing_ok=True)

    def _size(self, parcel: Parcel, name: str) -> int:
        return len(parcel.manifest) if name == MANIFEST else self._source.size(parcel, name)

    def _has(self, digest: str) -> bool:
        """Whether a file is there as it should be. A damaged one is removed."""
        blob = self._blobs / digest
        with suppress(FileNotFoundError):
            if sha256_of(blob) == digest:
                return True
            blob.unlink()
        return False

    def _make_room(self, needed: int, wanted: Collection[str]) -> None:
        """Remove the versions that were used longest ago, until so many bytes more fit.

        wanted: the sha256 of files that stay. Raises CacheFull.
        """
        oldest = iter(sorted(self._versions.iterdir(), key=lambda entry: entry.stat().st_mtime_ns))
        while self._bytes(wanted) + needed > self._most_bytes:
            if not any(_removed_if_free(entry) for entry in oldest):
                raise CacheFull(
                    f"The cache in {self._folder} has no room for {needed} bytes more: it may hold "
                    f"{self._most_bytes}."
                )

    def _bytes(self, wanted: Collection[str]) -> int:
        """Bytes of all files, after those that no version has are removed."""
        total = 0
        for blob in self._blobs.iterdir():
            status = blob.stat()
            if status.st_nlink == 1 and blob.name not in wanted:
                blob.unlink()
            else:
                total += status.st_size
        return total


def _files_of(parcel: Parcel) -> dict[str, str]:
    """sha256 of the files that scoring needs, by name, with the manifest. Raises BadParcel."""
    assert parcel.files, "checked"
    return {**Manifest.parsed(parcel.manifest).files, MANIFEST: parcel.digest}


def _is_whole(entry: Path, parcel: Parcel) -> bool:
    place = entry / parcel.product / parcel.version
    try:
        return sha256_of(place / MANIFEST) == parcel.digest and not verify_files(place, serving=True)
    except OSError:
        return False


@contextmanager
def _held(entry: Path) -> Iterator[bool]:
    """Hold a version's folder, so that it is not removed. Yields False where there is none."""
    with ExitStack() as held:
        is_there = False
        with suppress(FileNotFoundError):
            descriptor = os.open(entry, os.O_RDONLY | os.O_DIRECTORY)
            held.callback(os.close, descriptor)
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            is_there = os.path.samestat(os.fstat(descriptor), entry.stat())
        yield is_there


def _removed_if_free(entry: Path) -> bool:
    """Remove a version's folder, unless somebody holds it."""
    descriptor = os.open(entry, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _remove(entry)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


def _remove(place: Path) -> None:
    """Remove a file or a folder; a folder goes by one rename first."""
    if not place.is_dir():
        place.unlink()
        return
    hidden = place.with_name(f".{uuid.uuid4().hex}")
    place.rename(hidden)
    shutil.rmtree(hidden)


@contextmanager
def _readable(version: str, name: str) -> Iterator[None]:
    """Raises BadBank where a file of the source cannot be read."""
    try:
        yield
    except OSError as error:
        raise BadBank(f"Version {version} is damaged: {name}: {reason(error)}.") from error
