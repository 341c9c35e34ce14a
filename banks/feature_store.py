"""Patch features of many parts on disk, so that memory never holds them all.

Each bank has one raw float32 file, part after part. 244 parts of M3DM are 10 GB: the file is written once and
read in slices. Layouts stay in memory: a few bytes a part, 8 KB for point groups.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from models.features import PartFeatures, Patches
from models.layout import GridLayout, GroupLayout, Layout
from models.lazy_sequence import LazySequence

Transform: TypeAlias = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""What is done to rows while they are read, such as normalising: (n, C) float32 to (n, C) float32."""

_PIECE = 1 << 30  # bytes of one read; Linux returns at most 0x7ffff000


@dataclass(frozen=True, slots=True)
class _Stored:
    """What is on disk for one bank. starts: each part's first row in the file, and last the number of
    rows."""

    path: Path
    width: int
    layouts: list[Layout] = field(default_factory=list)
    starts: list[int] = field(default_factory=lambda: [0])


class FeatureStore:
    """Append-only store of part features. Every part has the same banks and widths."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._banks: dict[str, _Stored] = {}
        self.parts = 0

    @classmethod
    def opened(cls, folder: Path, arrays: Mapping[str, NDArray[Any]]) -> FeatureStore:
        """The store that wrote the rows in `folder`. arrays: its `layout_arrays`. Parts can be appended."""
        store = cls(folder)
        for bank in dict.fromkeys(name.partition(".")[0] for name in arrays):
            layouts = _layouts(arrays[f"{bank}.shape"], arrays[f"{bank}.pixel"])
            starts = np.cumsum([0, *map(len, layouts)]).tolist()
            path = folder / f"{bank}.f32"
            store._banks[bank] = _Stored(path, path.stat().st_size // (4 * starts[-1]), layouts, starts)
            store.parts = len(layouts)
        return store

    def layout_arrays(self) -> dict[str, NDArray[Any]]:
        """Where all patches lie, as plain arrays by name. Banks whose rows are in another folder are not
        told."""
        found: dict[str, NDArray[Any]] = {}
        for bank, stored in self._banks.items():
            if stored.path.parent == self.folder:
                found[f"{bank}.shape"], found[f"{bank}.pixel"] = _arrays(stored.layouts)
        return found

    def append(self, features: PartFeatures) -> None:
        """Add one part."""
        for bank in features:
            self._write(bank, features[bank], self.folder)
        self.parts += 1

    def add_bank(self, bank: str, patches: Iterator[Patches], folder: Path) -> None:
        """Add a bank that is derived from the others.

        patches: of each stored part, in order.
        folder: where the rows go: outside the store's folder, because derived rows need not be kept.
        Raises ValueError for another number of parts.
        """
        folder.mkdir(parents=True, exist_ok=True)
        for of_part in patches:
            self._write(bank, of_part, folder)
        count = len(self.layouts(bank)) if bank in self._banks else 0
        if count != self.parts:
            raise ValueError(f"patches of {count} parts for {self.parts} stored parts")

    def scale(self, bank: str, channels: int, factor: float) -> None:
        """Multiply the last channels of all stored rows of a bank, in place."""
        stored = self._banks[bank]
        values = np.memmap(stored.path, np.float32, "r+")
        values.reshape(-1, stored.width)[:, -channels:] *= np.float32(factor)
        values.flush()

    def layouts(self, bank: str) -> Sequence[Layout]:
        """Where the patches of each part lie."""
        return self._banks[bank].layouts

    def count(self, bank: str, parts: Sequence[int]) -> int:
        """How many patches these parts have together."""
        return sum(len(self._banks[bank].layouts[part]) for part in parts)

    def patches(self, bank: str, part: int) -> Patches:
        """One part's patches."""
        stored = self._banks[bank]
        layout, width = stored.layouts[part], stored.width
        rows = np.fromfile(
            stored.path, np.float32, count=len(layout) * width, offset=4 * width * stored.starts[part]
        )
        return Patches(torch.from_numpy(rows.reshape(len(layout), width)), layout)

    def features(self, part: int) -> PartFeatures:
        """One part's patches by bank."""
        return {bank: self.patches(bank, part) for bank in self._banks}

    def pairs(self) -> Sequence[tuple[Patches, Patches]]:
        """(rgb, point) patches of all parts, read when asked for."""
        return LazySequence(self.parts, lambda part: (self.patches("rgb", part), self.patches("point", part)))

    def rows(self, bank: str, parts: Sequence[int], transform: Transform) -> StoredRows:
        """Patch rows of these parts, one part after the other. Each chunk goes through `transform` when it is
        read."""
        return StoredRows(self._banks[bank], parts, transform)

    def _write(self, bank: str, patches: Patches, folder: Path) -> None:
        count, width = patches.rows.shape
        stored = self._banks.setdefault(bank, _Stored(folder / f"{bank}.f32", width))
        if (count, width) != (len(patches.layout), stored.width):
            raise ValueError(
                f"bank {bank}: rows {count} x {width} for {patches.layout} of width {stored.width}"
            )
        with stored.path.open("ab" if stored.layouts else "wb") as file:
            file.write(np.ascontiguousarray(patches.rows.cpu().numpy(), dtype=np.float32).data)
        stored.layouts.append(patches.layout)
        stored.starts.append(stored.starts[-1] + count)


def _arrays(layouts: Sequence[Layout]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Layouts as two arrays.

    The first is (n, 2) int64: a grid's side and 0, or the number of groups and the side of their image. The
    second holds the pixels of all groups, one part after the other.
    """
    shapes = [
        (len(layout), layout.source) if isinstance(layout, GroupLayout) else (layout.side, 0)
        for layout in layouts
    ]
    pixels = [layout.pixel for layout in layouts if isinstance(layout, GroupLayout)]
    return np.array(shapes, np.int64), np.concatenate([np.zeros(0, np.int64), *pixels])


def _layouts(shapes: NDArray[np.int64], pixels: NDArray[np.int64]) -> list[Layout]:
    """Inverse of `_arrays`."""
    found: list[Layout] = []
    start = 0
    for count, source in shapes.tolist():
        if source:
            found.append(GroupLayout(pixels[start : start + count], source))
            start += count
        else:
            found.append(GridLayout(count))
    return found


def _fill(file: BinaryIO, rows: NDArray[np.float32], offset: int) -> None:
    """Read rows, (n, C) contiguous, from a place in the file, in bytes. Raises OSError."""
    left = rows.data.cast("B")
    while left:
        count = os.preadv(file.fileno(), [left[:_PIECE]], offset)
        if not count:
            raise OSError(
                errno.EIO, "the file of patch rows is too short: build the version again", file.name
            )
        left, offset = left[count:], offset + count


class StoredRows:
    """Rows on disk that read like an (N, C) float32 array, so that no copy of a whole library is in memory.

    Indexed by a slice or an ascending or unordered index array; every answer is a new array.
    """

    dtype: np.dtype[Any] = np.dtype(np.float32)

    def __init__(self, stored: _Stored, parts: Sequence[int], transform: Transform) -> None:
        self._path = stored.path
        self._transform = transform
        self._parts = np.asarray(parts, np.int64)
        self._starts = np.asarray(stored.starts, np.int64)[self._parts]
        self._layouts = [stored.layouts[part] for part in parts]
        counts = np.array([len(layout) for layout in self._layouts], np.int64)
        self._ends = np.cumsum(counts)
        self._begins = self._ends - counts
        self.shape: tuple[int, ...] = (int(counts.sum()), stored.width)
        self.ndim = 2

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice | NDArray[np.int64]) -> NDArray[np.float32]:
        """Raises OSError where the file cannot be read or lacks rows."""
        wanted = np.arange(*rows.indices(len(self))) if isinstance(rows, slice) else np.asarray(rows)
        number, cell = self._locate(wanted)
        place = self._starts[number] + cell
        found = np.empty((len(place), self.shape[1]), np.float32)
        step = 4 * self.shape[1]
        starts = np.flatnonzero(np.diff(place, prepend=-2) != 1)
        with self._path.open("rb") as file:
            for start, end in pairwise([*starts, len(place)]):
                _fill(file, found[start:end], int(place[start]) * step)
        return self._transform(found)

    def origin(self, rows: NDArray[np.int64], size: int) -> NDArray[np.int64]:
        """Where rows came from, (3, n) int64: the part, which patch of the part, and the patch's pixel,
        row-major in a (size, size) image."""
        number, cell = self._locate(rows)
        pixel = np.concatenate([layout.pixels(size) for layout in self._layouts])[rows]
        return np.stack([self._parts[number], cell, pixel])

    def _locate(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Each row's position among the parts that are read here, and its patch of that part."""
        number = np.searchsorted(self._ends, rows, side="right")
        return number, rows - self._begins[number]
