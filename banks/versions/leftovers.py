"""What builds, deletions and killed processes leave in a product's folder; and the locks of both.

.building-<number>, .lock.building-<number>     a version that is being written, and the lock of its build
.training-<run>, .lock.training-<run>           checkpoints of a build; they stay where the build is killed
.deleted-<version>                              an empty folder: the name is never used again
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

VERSION_NAME = re.compile(r"v[0-9]{1,9}\Z")
UNFINISHED = ".building-"
TRAINING = ".training-"
DELETED = ".deleted-"
GRAVE = re.compile(r"(\.deleted-)?[a-z0-9][a-z0-9_-]{0,62}/\.deleted-v[0-9]{1,9}\Z")
"""The folder of a deleted version, below the folder of the banks; the product may be deleted, too."""
_LOCK = ".lock"
_HALF_WRITTEN = re.compile(r"\.(current|shadow|pinned|thresholds\.json|odd_parts\.json)\.[0-9a-f]{32}\Z")
"""Fresh content of a file that a killed process never put in place (models/atomic_file.py)."""


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Only one thread of one process at a time changes which versions a product has."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def empty(grave: Path) -> None:
    """Remove the files of a deleted version. Its directory stays, so that the name is not used again.

    A sweep and the deletion may both remove files, so a missing file is no error. Raises OSError.
    """
    for inside in grave.iterdir():
        if inside.is_dir():
            shutil.rmtree(inside, ignore_errors=True)
        else:
            inside.unlink(missing_ok=True)


def bury(grave: Path) -> None:
    """Remove the files of a deleted product, but for the names of its versions. Raises OSError."""
    for inside in grave.iterdir():
        if inside.name.startswith(DELETED):
            empty(inside)
        elif inside.is_dir() and VERSION_NAME.match(inside.name):
            empty(inside.rename(inside.with_name(f"{DELETED}{inside.name}")))
        elif inside.is_dir():
            shutil.rmtree(inside)
        else:
            inside.unlink()


def replace_grave(grave: Path, folder: Path) -> None:
    """Make a product's folder its grave. A grave is there already where somebody put the folder of a deleted
    product back: its names are kept, too. Raises OSError."""
    if grave.is_dir():
        bury(grave)
        for name in grave.iterdir():
            name.rename(folder / name.name)
        grave.rmdir()
    folder.rename(grave)


def graves(root: Path) -> list[str]:
    """The folders that keep the names of deleted versions, below the folder of the banks, sorted."""
    found = (grave.relative_to(root).as_posix() for grave in root.glob(f"*/{DELETED}*"))
    return sorted(filter(GRAVE.match, found))


def sweep(folder: Path) -> None:
    """Remove what killed builds, deletions and writes left behind.

    The caller holds `exclusive(folder)`. The writers of these files hold it, too, so no file is being
    written.
    """
    for file in folder.iterdir():
        if _HALF_WRITTEN.match(file.name):
            file.unlink(missing_ok=True)
    for grave in folder.glob(f"{DELETED}*"):
        with suppress(OSError):  # a build goes on where old files cannot be removed
            empty(grave)
    forget(folder, UNFINISHED)
    for place in _locks(folder, TRAINING):
        with locked(place):  # which removes the lock of a killed build
            pass


def forget(folder: Path, kind: str) -> None:
    """Remove the directories of a kind that no live process holds, and their locks.

    kind: how their names begin, such as UNFINISHED.
    """
    for stale in {*folder.glob(f"{kind}*"), *_locks(folder, kind)}:
        with locked(stale) as free:
            if free:
                shutil.rmtree(stale, ignore_errors=True)


def _locks(folder: Path, kind: str) -> list[Path]:
    """The directories of a kind that have locks, whether or not there are such directories."""
    return [lock.with_name(lock.name.removeprefix(_LOCK)) for lock in folder.glob(f"{_LOCK}{kind}*")]


@contextmanager
def locked(scratch: Path) -> Iterator[bool]:
    """Hold a scratch directory's lock, and remove the lock at the end. Yields False where a live build holds
    the lock."""
    lock = scratch.with_name(f"{_LOCK}{scratch.name}")
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        try:
            yield True
        finally:
            lock.unlink(missing_ok=True)
    finally:
        os.close(descriptor)
