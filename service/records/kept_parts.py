"""The files of rejected parts, <state>/parts/<result id>.npz, kept as long as their results.

A rejected part that is good shows what the bank lacks. The part can be added to the next version (see
service/api/builds.py).
"""

from __future__ import annotations

import shutil
import threading
from collections import Counter
from collections.abc import Iterable, Sequence, Set
from pathlib import Path

import numpy as np

from models.sample import Sample

SUFFIX = ".npz"


class KeptParts:
    """The kept parts of one state folder. The oldest parts of the product that takes the most bytes are
    deleted first.

    The methods block on the disk; any thread may call them.

    keep_bytes: the most bytes of all kept parts; 0 keeps no part.
    """

    def __init__(self, folder: Path, keep_bytes: int) -> None:
        self._folder = folder / "parts"
        self._keep_bytes = keep_bytes
        self._sizes: dict[str, tuple[str, int]] = {}  # product and bytes by result id, the oldest first
        self._lock = threading.Lock()

    def open(self) -> None:
        """List the files. Call `open` first, in a folder that exists. Raises OSError."""
        self._folder.mkdir(exist_ok=True)
        for unfinished in self._folder.glob(".*"):
            unfinished.unlink()
        files = sorted(self._folder.glob(f"*{SUFFIX}"), key=lambda file: file.stat().st_mtime_ns)
        self._sizes = {file.stem: ("", file.stat().st_size) for file in files}  # `retain` says the products

    def add(self, name: str, product: str, sample: Sample) -> None:
        """Keep a result's part. name: the result's id. Raises OSError."""
        if not self._keep_bytes:
            return
        arrays = {"rgb": sample.rgb, "xyz": sample.xyz, "xyz_unit": np.array("m")}
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
            self._sizes[name] = product, size
            self._prune()

    def names(self) -> set[str]:
        """The ids of the results whose parts are kept."""
        with self._lock:
            return set(self._sizes)

    def retain(self, ordered: Sequence[tuple[str, str]], among: Set[str]) -> None:
        """Delete parts whose results are gone, then parts above `keep_bytes`.

        ordered: ids and products of the results on record, the oldest first. This order counts, not the
            files' times.
        among: ids of the parts that may be deleted.

        Raises OSError.
        """
        with self._lock:
            for name in among - {name for name, _ in ordered}:
                self._remove(name)
            known = {
                name: (product, self._sizes[name][1]) for name, product in ordered if name in self._sizes
            }
            others = {name: size for name, size in self._sizes.items() if name not in known}
            self._sizes = known | others  # at once: `has` looks at any time
            self._prune()

    def has(self, name: str) -> bool:
        """Whether the part of this result is kept."""
        return name in self._sizes

    def copy(self, names: Iterable[str], folder: Path) -> list[str]:
        """Copy parts into a folder as `accepted-<result id>.npz`.

        The copies are hard links where the disk has hard links, and then take no space.

        Returns the ids whose parts are no longer kept. Raises OSError.
        """
        missing: list[str] = []
        for name in names:
            try:
                _link(self._file(name), folder / f"{accepted_name(name)}{SUFFIX}")
            except FileNotFoundError:
                missing.append(name)
        return missing

    def _prune(self) -> None:
        shares: Counter[str] = Counter()
        for product, size in self._sizes.values():
            shares[product] += size
        while shares.total() > self._keep_bytes:
            largest = max(shares, key=shares.__getitem__)
            oldest = next(name for name, (product, _) in self._sizes.items() if product == largest)
            shares[largest] -= self._sizes[oldest][1]
            self._remove(oldest)

    def _remove(self, name: str) -> None:
        self._file(name).unlink(missing_ok=True)
        self._sizes.pop(name, None)

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}{SUFFIX}"


def _link(source: Path, target: Path) -> None:
    """Make a hard link to a file, or a copy where the disk has no hard links. Raises OSError."""
    try:
        target.hardlink_to(source)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copyfile(source, target)


def accepted_name(result_id: str) -> str:
    """The name of a training part that was a rejected part before."""
    return f"accepted-{result_id}"
