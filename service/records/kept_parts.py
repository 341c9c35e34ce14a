"""Rejected parts themselves, <state>/parts/<result id>.npz, as long as their results are on record.

A part that was good after all is what a bank lacks: it can be added to the next version (see `builds`).
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterable, Sequence, Set
from pathlib import Path

import numpy as np

from models.sample import Sample

SUFFIX = ".npz"


class KeptParts:
    """The kept parts of one state folder; the oldest go first. Methods block; any thread may call them.

    keep_bytes: most that they take together; 0 keeps none.
    """

    def __init__(self, folder: Path, keep_bytes: int) -> None:
        self._folder = folder / "parts"
        self._keep_bytes = keep_bytes
        self._sizes: dict[str, int] = {}  # by result id, the oldest first
        self._lock = threading.Lock()

    def open(self) -> None:
        """Before anything else, in a folder that is there. Raises OSError."""
        self._folder.mkdir(exist_ok=True)
        for unfinished in self._folder.glob(".*"):
            unfinished.unlink()
        files = sorted(self._folder.glob(f"*{SUFFIX}"), key=lambda file: file.stat().st_mtime_ns)
        self._sizes = {file.stem: file.stat().st_size for file in files}

    def add(self, name: str, sample: Sample) -> None:
        """Keep the part of a result. Raises OSError."""
        if not self._keep_bytes:
            return
        arrays = {"rgb": sample.rgb, "xyz": sample.xyz}
        if sample.missing is not None:
            del arrays[sample.missing]
        unfinished = self._folder / f".{name}{SUFFIX}"
        try:
            np.savez(unfinished, allow_pickle=False, **arrays)
            size = unfinished.stat().st_size
            unfinished.rename(self._file(name))
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise
        with self._lock:
            self._sizes[name] = size
            self._prune()

    def names(self) -> set[str]:
        """The results whose parts are kept."""
        with self._lock:
            return set(self._sizes)

    def retain(self, ordered: Sequence[str], among: Set[str]) -> None:
        """Of these parts keep those that are named, and the oldest only as the bytes allow. ordered: the
        oldest first, whatever the files' times say. Raises OSError."""
        with self._lock:
            for name in among - set(ordered):
                self._remove(name)
            known = {name: self._sizes.pop(name) for name in ordered if name in self._sizes}
            self._sizes = known | self._sizes
            self._prune()

    def has(self, name: str) -> bool:
        """Whether the part of that result is kept."""
        return name in self._sizes

    def copy(self, names: Iterable[str], folder: Path) -> list[str]:
        """Put the kept ones of these into a folder, as `accepted-<result id>.npz`; returns those that are no
        longer kept. They take no second place on the disk where it knows hard links. Raises OSError."""
        gone: list[str] = []
        for name in names:
            try:
                _link(self._file(name), folder / f"{accepted_name(name)}{SUFFIX}")
            except FileNotFoundError:
                gone.append(name)
        return gone

    def _prune(self) -> None:
        total = sum(self._sizes.values())
        while total > self._keep_bytes and self._sizes:
            total -= self._remove(next(iter(self._sizes)))

    def _remove(self, name: str) -> int:
        """How many bytes that frees."""
        self._file(name).unlink(missing_ok=True)
        return self._sizes.pop(name, 0)

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}{SUFFIX}"


def _link(source: Path, target: Path) -> None:
    """A second name for a file that nobody changes; its copy on a disk that gives none. Raises OSError."""
    try:
        target.hardlink_to(source)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copyfile(source, target)


def accepted_name(result_id: str) -> str:
    """The name of a training part that came from a result."""
    return f"accepted-{result_id}"
