"""The n-th write, flush, rename, open, mkdir or link of a build and of what follows it fails."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from banks.versions.builder import Builder
from banks.versions.store import BankStore
from banks.versions.thresholds import MovedThreshold, move_threshold
from models.readers.product_folder import open_product_folder
from recipes.profiles import find_profile
from tests.faults.bench import Bench
from tests.faults.case import Case, Outcome
from tests.faults.kills import left_behind
from tests.faults.scene import COARSE, PRODUCT, PROFILE, VERSIONS

ERRORS = (errno.ENOSPC, errno.EIO, errno.EDQUOT)
CALLS = (
    *("open", "write", "fsync", "fdatasync", "mkdir", "link", "symlink"),
    *("rename", "replace", "truncate", "ftruncate", "sendfile", "copy_file_range"),
)
"""Of the module os. Files that Python opens to write are counted beside them, each write to one as well;
what the safetensors and FAISS libraries write themselves is not."""


class Disk:
    """Counts the calls that change a disk, and fails one. at: which, from 0; None: none."""

    def __init__(self, at: int | None = None, error: int = errno.ENOSPC) -> None:
        self.calls: list[str] = []
        self._at = at
        self._error = error

    def count(self, name: str) -> None:
        """Another call. Raises OSError for the one that fails."""
        self.calls.append(name)
        if len(self.calls) - 1 == self._at:
            raise OSError(self._error, os.strerror(self._error))

    def _counted(self, name: str) -> Callable[..., Any]:
        call = getattr(os, name)

        def counted(*arguments: Any, **options: Any) -> Any:
            reads = name == "open" and not arguments[1] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            if not reads:
                self.count(name)
            return call(*arguments, **options)

        return counted

    def _open(self, file: Any, mode: str = "r", buffering: int = -1, *rest: Any, **options: Any) -> Any:
        if not set(mode) & set("wax+") or isinstance(file, int):
            return _OPEN(file, mode, buffering, *rest, **options)
        self.count("open")
        raw = _File(file, mode.replace("b", "").replace("t", ""))
        raw.disk = self
        if "b" in mode:
            return io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
        return io.TextIOWrapper(io.BufferedWriter(raw), encoding=options.get("encoding") or "utf-8")

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """For as long, the process meets this disk."""
        kept = {name: getattr(os, name) for name in CALLS}
        try:
            for name in CALLS:
                setattr(os, name, self._counted(name))
            io.open = self._open
            yield
        finally:
            io.open = _OPEN
            for name, call in kept.items():
                setattr(os, name, call)


class _File(io.FileIO):
    disk: Disk

    def write(self, content: Any, /) -> int:
        self.disk.count("write")
        return super().write(content)


_OPEN = io.open


def run(bench: Bench, numbers: Sequence[int]) -> Iterator[Outcome]:
    """Each call of the work fails with each of the errors in turn."""
    store = BankStore(bench.banks("calls"))
    whole = Disk()
    with whole.in_place():
        _work(bench, store)
    for number in numbers:
        at, error = number // len(ERRORS), ERRORS[number % len(ERRORS)]
        if at >= len(whole.calls):
            break
        yield _judged(bench, store, number, Disk(at, error))
    _work(bench, store)  # and then it works again


def _work(bench: Bench, store: BankStore) -> None:
    """A build that becomes active, a threshold, the other version as shadow, the way back, and the end."""
    builder = Builder(find_profile(PROFILE, changes=(COARSE,)), store)
    version = builder.build(PRODUCT, open_product_folder(bench.scene.parts))
    move_threshold(store, PRODUCT, version, MovedThreshold(threshold=None, rate=0.1))
    store.set_shadow(PRODUCT, VERSIONS[1])
    store.activate(PRODUCT, VERSIONS[0])
    store.delete(PRODUCT, version)


def _judged(bench: Bench, store: BankStore, number: int, disk: Disk) -> Outcome:
    try:
        with disk.in_place():
            _work(bench, store)
        kind, good = "went on without it", True
    except Exception as error:
        told = _names_its_cause(error)
        kind, good = ("refused with its cause", True) if told else (f"{type(error).__name__}", False)
    call = disk.calls[min(number // len(ERRORS), len(disk.calls) - 1)]
    faults = [
        f"{version}: {told[0]}"
        for version in store.versions(PRODUCT)
        if (told := store.verify(PRODUCT, version))
    ]
    if not set(VERSIONS) <= set(store.versions(PRODUCT)) or store.current(PRODUCT) not in store.versions(
        PRODUCT
    ):
        faults.append("a version lost")
    faults += left_behind(store)
    for version in set(store.versions(PRODUCT)) - set(VERSIONS):
        store.activate(PRODUCT, VERSIONS[0])
        store.delete(PRODUCT, version)
    return Outcome(
        number, "; ".join(faults) or kind, good and not faults, f"call {number // len(ERRORS)}: {call}"
    )


def _names_its_cause(error: BaseException | None) -> bool:
    """Whether it is, or comes from, the error of the system, and says so."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in ERRORS:
            return True
        error = error.__cause__ or error.__context__
    return False


CASE = Case(
    "calls",
    "each write, flush, rename, open, mkdir or link of a build, an activation, a threshold and a removal "
    "fails with ENOSPC, EIO and EDQUOT",
    999,
    run,
    "R2",
)
