"""Bank versions on disk: immutable directories, checked by sha256, published by one rename.

    <root>/<product>/<version>/manifest.json ...
    <root>/<product>/current                     a text file: the active version's name

A version is written under a hidden name on the same file system, flushed, checked and renamed into
place; `current` moves by an atomic replace. A build killed at any moment leaves the old version active.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from banks.manifest import MANIFEST, Manifest
from models.digest import sha256_of

PRODUCT_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}\Z")
VERSION_NAME = re.compile(r"v[0-9]{1,9}\Z")
_UNFINISHED = ".building-"


class BankNotFound(LookupError):
    """No such product, or no such version of it."""


class BadBank(ValueError):
    """A version on disk that must not be served: files missing, changed or not understood."""


class BankStore:
    """The bank versions below one root directory."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def products(self) -> list[str]:
        """Products that have an active version, sorted."""
        if not self.root.is_dir():
            return []
        names = (entry.name for entry in self.root.iterdir() if entry.is_dir())
        return sorted(name for name in names if PRODUCT_NAME.match(name) and self.current(name))

    def versions(self, product: str) -> list[str]:
        """Published versions of a product, oldest first."""
        folder = self._folder(product)
        if not folder.is_dir():
            return []
        return sorted((e.name for e in folder.iterdir() if VERSION_NAME.match(e.name)), key=_number)

    def current(self, product: str) -> str | None:
        """The active version's name, or None."""
        pointer = self._folder(product) / "current"
        if not pointer.is_file():
            return None
        version = pointer.read_text().strip()
        return version if VERSION_NAME.match(version) else None

    def path(self, product: str, version: str | None = None) -> Path:
        """Directory of a version (default: the active one). Raises BankNotFound."""
        chosen = version or self.current(product)
        if chosen is None or not VERSION_NAME.match(chosen):
            raise BankNotFound(f"There is no bank of product '{product}'. Build one with 'tribank build'.")
        path = self._folder(product) / chosen
        if not path.is_dir():
            raise BankNotFound(f"Product '{product}' has no version '{chosen}'.")
        return path

    @contextmanager
    def building(self, product: str) -> Iterator[Path]:
        """A scratch directory for a version that is being written; removed on the way out.

        What killed builds left behind is removed first (their lock is free).
        """
        folder = self._folder(product)
        folder.mkdir(parents=True, exist_ok=True)
        for stale in folder.glob(f"{_UNFINISHED}*"):
            with _locked(stale) as free:
                if free:
                    shutil.rmtree(stale, ignore_errors=True)
        scratch = folder / f"{_UNFINISHED}{uuid.uuid4().hex}"
        with _locked(scratch):
            scratch.mkdir()
            try:
                yield scratch
            finally:
                shutil.rmtree(scratch, ignore_errors=True)

    def publish(
        self, product: str, staged: Path, *, check: Callable[[Path], None], activate: bool = True
    ) -> str:
        """Flush and check the staged directory, rename it into place and make it the active version.

        check: called with the staged directory; raises to refuse it. Returns the version's name.
        """
        folder = self._folder(product)
        for file in staged.iterdir():
            _flush(file)
        _flush(staged)
        check(staged)
        number = max((_number(v) for v in self.versions(product)), default=0) + 1
        version = f"v{number}"
        staged.rename(folder / version)
        _flush(folder)
        if activate:
            self.activate(product, version)
        return version

    def activate(self, product: str, version: str) -> None:
        """Make a published version the active one, atomically."""
        path = self.path(product, version)
        pointer = path.parent / f".current-{uuid.uuid4().hex}"
        pointer.write_text(version + "\n")
        _flush(pointer)
        pointer.replace(path.parent / "current")
        _flush(path.parent)

    def verify(self, product: str, version: str | None = None) -> list[str]:
        """What is wrong with a version; empty when every file is as its manifest says."""
        return verify_files(self.path(product, version))

    def _folder(self, product: str) -> Path:
        if not PRODUCT_NAME.match(product):
            raise BankNotFound(
                f"'{product[:80]}' is not a product name: use 1 to 63 of a-z, 0-9, '-' and '_', "
                "starting with a letter or digit."
            )
        return self.root / product


def verify_files(path: Path) -> list[str]:
    """What is wrong with the files of one version directory."""
    try:
        manifest = Manifest.read(path)
    except (OSError, ValueError) as error:
        return [f"{MANIFEST}: {error}"]
    problems = []
    for name, expected in manifest.files.items():
        file = path / name
        if not file.is_file():
            problems.append(f"{name}: missing")
        elif sha256_of(file) != expected:
            problems.append(f"{name}: changed since it was built (sha256 differs)")
    return problems


def _number(version: str) -> int:
    return int(version[1:])


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _locked(scratch: Path) -> Iterator[bool]:
    """Hold the scratch directory's lock; yields False if a live build holds it."""
    lock = scratch.with_name(f".lock{scratch.name}")
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
        lock.unlink(missing_ok=True)
    finally:
        os.close(descriptor)
