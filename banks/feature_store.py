"""Patch features of many parts on disk while banks are built, so memory never holds them all.

One raw float32 file a bank, part after part. 244 parts of M3DM are 10 GB: they are written once and
read in slices.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from models.features import PartFeatures, PatchGrid


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

    def rows(self, bank: str, parts: Sequence[int]) -> NDArray[np.float32]:
        """Patch rows of some parts, (len(parts) * side * side, width) float32.

        All parts in order are a read-only memory map; a choice of parts is a copy in memory.
        """
        side, width = self._shapes[bank]
        shape = (self.parts, side * side, width)
        stored = np.memmap(self._path(bank), dtype=np.float32, mode="r", shape=shape)
        chosen = stored if list(parts) == list(range(self.parts)) else stored[list(parts)]
        return chosen.reshape(-1, width)

    def _path(self, bank: str) -> Path:
        return self._folder / f"{bank}.f32"

    def _write(self, bank: str, grid: PatchGrid, part: int) -> None:
        shape = (grid.side, grid.rows.shape[1])
        if self._shapes.setdefault(bank, shape) != shape:
            raise ValueError(f"bank {bank}: a grid of {shape} after grids of {self._shapes[bank]}")
        with self._path(bank).open("ab" if part else "wb") as file:
            file.write(np.ascontiguousarray(grid.rows.cpu().numpy(), dtype=np.float32).data)


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
