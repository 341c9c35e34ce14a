"""Patch features of many parts on disk while banks are built, so memory never holds them all.

One raw float32 file a bank, part after part. 244 parts of M3DM are 10 GB: they are written once and
read in slices.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from models.features import PartFeatures, PatchGrid

Transform: TypeAlias = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""What is done to rows as they are read, such as normalising: (n, C) float32 to the same."""


class FeatureStore:
    """Append-only store of part features. Every part has the same banks, sides and widths."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._shapes: dict[str, tuple[int, int]] = {}
        self.parts = 0

    def append(self, features: PartFeatures) -> None:
        """Add one part."""
        for bank in features:
            self._write(bank, features[bank], self.parts)
        self.parts += 1

    def add_bank(self, bank: str, grids: Iterator[PatchGrid]) -> None:
        """Add a bank that is derived from the others, one grid for each part already stored."""
        count = 0
        for count, grid in enumerate(grids, start=1):
            self._write(bank, grid, count - 1)
        if count != self.parts:
            raise ValueError(f"{count} grids for {self.parts} stored parts")

    def shape(self, bank: str) -> tuple[int, int]:
        """(side, width) of a bank's grids."""
        return self._shapes[bank]

    def grid(self, bank: str, part: int) -> PatchGrid:
        """One part's grid."""
        side, width = self._shapes[bank]
        rows = np.fromfile(
            self._path(bank),
            dtype=np.float32,
            count=side * side * width,
            offset=part * side * side * width * 4,
        )
        return PatchGrid(torch.from_numpy(rows.reshape(side * side, width)), side)

    def features(self, part: int) -> PartFeatures:
        """One part's grids by bank."""
        return {bank: self.grid(bank, part) for bank in self._shapes}

    def pairs(self) -> StoredPairs:
        """(rgb, point) grids of all parts, read when asked for."""
        return StoredPairs(self)

    def rows(self, bank: str, parts: Sequence[int], transform: Transform) -> StoredRows:
        """Patch rows of some parts, one part after the other, each chunk through `transform` when read."""
        side, width = self._shapes[bank]
        return StoredRows(self._path(bank), side * side, width, parts, transform)

    def _path(self, bank: str) -> Path:
        return self._folder / f"{bank}.f32"

    def _write(self, bank: str, grid: PatchGrid, part: int) -> None:
        shape = (grid.side, grid.rows.shape[1])
        if self._shapes.setdefault(bank, shape) != shape:
            raise ValueError(f"bank {bank}: a grid of {shape} after grids of {self._shapes[bank]}")
        with self._path(bank).open("ab" if part else "wb") as file:
            file.write(np.ascontiguousarray(grid.rows.cpu().numpy(), dtype=np.float32).data)


class StoredRows:
    """Rows on disk that read like an (N, C) float32 array, so that no copy of a whole library is in memory.

    Indexed by a slice or an ascending or unordered index array; every answer is a new array.
    """

    dtype: np.dtype[Any] = np.dtype(np.float32)

    def __init__(
        self, path: Path, cells: int, width: int, parts: Sequence[int], transform: Transform
    ) -> None:
        self._path = path
        self._cells = cells
        self._parts = np.asarray(parts, np.int64)
        self._transform = transform
        self.shape: tuple[int, ...] = (len(parts) * cells, width)
        self.ndim = 2

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice | NDArray[np.int64]) -> NDArray[np.float32]:
        wanted = np.arange(*rows.indices(len(self))) if isinstance(rows, slice) else np.asarray(rows)
        place = self._parts[wanted // self._cells] * self._cells + wanted % self._cells
        found = np.empty((len(place), self.shape[1]), np.float32)
        step = 4 * self.shape[1]
        starts = np.flatnonzero(np.diff(place, prepend=-2) != 1)
        with self._path.open("rb") as file:
            for start, end in pairwise([*starts, len(place)]):
                data = os.pread(file.fileno(), int(end - start) * step, int(place[start]) * step)
                found[start:end] = np.frombuffer(data, np.float32).reshape(-1, self.shape[1])
        return self._transform(found)


class StoredPairs(Sequence[tuple[PatchGrid, PatchGrid]]):
    """The (rgb, point) grids of a store's parts."""

    def __init__(self, store: FeatureStore) -> None:
        self._store = store

    def __len__(self) -> int:
        return self._store.parts

    def __getitem__(self, part: Any) -> Any:
        if not 0 <= part < len(self):
            raise IndexError(part)
        return self._store.grid("rgb", part), self._store.grid("point", part)
