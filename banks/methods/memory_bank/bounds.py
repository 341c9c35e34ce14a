"""The nearest row of a large bank, proved in few dimensions.

A projection onto orthonormal directions never lengthens a distance. What two vectors lose by it differs by at
least the difference of its lengths. So |Pq - Pb|^2 + (|q - P'Pq| - |b - P'Pb|)^2 is at most |q - b|^2. This
bound takes a few hundred dimensions. The rows with the lowest bounds are then measured directly. If the best
of them is no farther than the highest of their bounds, no other row of the bank is nearer: the answer is that
of all dimensions. Where the bounds do not prove it, the caller searches in all dimensions.
"""

from __future__ import annotations

from typing import Any

import faiss
import numpy as np
import torch
from numpy.typing import NDArray

from banks.evenly import evenly
from models.numerics.linear import linear

_DIMENSIONS = 255
_CANDIDATES = 16
"""Rows that are measured directly at most, for each query."""
_LARGE = 40_000_000
"""Numbers in a bank from which bounds are worth their memory and the second that finding them takes."""
_SAMPLE = 8192
"""Rows whose directions are looked for."""
_ITERATIONS = 4
_TRIED = 16
"""Every so many queries, one tries first whether bounds prove anything of this part."""
_PROVED = 0.4
"""Share of these queries that must be proved. The bounds take about a quarter of all dimensions' work."""
_ROUNDING = 1e-5
"""What a bound may be too high by, as a share of the squared lengths."""
_CHUNK = 4096
_COMPARED = 256


class Bounds:
    """Lower bounds of the distances to the rows of a bank."""

    def __init__(
        self, rows: NDArray[np.float32], dimensions: int = _DIMENSIONS, candidates: int = _CANDIDATES
    ) -> None:
        """rows: (R, C) float32, kept, not copied. dimensions: below C. candidates: at most R."""
        self._rows = rows
        self._candidates = candidates
        self._mean, self._basis = _directions(rows, dimensions)
        self._index: Any = faiss.IndexFlatL2(dimensions + 1)
        self._longest = 0.0
        for start in range(0, len(rows), _CHUNK):
            low = self._lowered(rows[start : start + _CHUNK])
            self._longest = max(self._longest, float(np.einsum("ij,ij->i", low, low).max()))
            self._index.add(low)

    def nearest(self, queries: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """The nearest row of each query, (n,) int64, and whether it is proved, (n,) bool. Rows that are as
        near but for rounding count as the same. Where a sample of the queries shows that little can be
        proved, nothing is.

        queries: (n, C) float32, finite.
        """
        ids, proved = np.zeros(len(queries), np.int64), np.zeros(len(queries), np.bool_)
        first = np.arange(len(queries)) % _TRIED == 0
        ids[first], proved[first] = self._nearest(queries[first])
        if proved[first].mean() >= _PROVED and not first.all():
            ids[~first], proved[~first] = self._nearest(queries[~first])
        return ids, proved

    def _nearest(self, queries: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        low = self._lowered(queries)
        squares, candidates = self._index.search(low, self._candidates)
        squares -= _ROUNDING * (np.einsum("ij,ij->i", low, low) + self._longest)[:, None]
        best, ids = np.full(len(queries), np.inf, np.float32), candidates[:, 0].copy()
        for column in range(self._candidates):
            left = np.flatnonzero(squares[:, column] < best)
            found = candidates[left, column]
            exact = np.square(distances(queries[left], self._rows, found))
            nearer = exact < best[left]
            best[left[nearer]] = exact[nearer]
            ids[left[nearer]] = found[nearer]
        return ids, best <= squares[:, -1]

    def _lowered(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, dimensions + 1): the projection, and the length of what it loses."""
        centred = torch.from_numpy(rows) - self._mean
        along = linear(centred, self._basis)
        rest = torch.linalg.vector_norm(centred - linear(along, self._basis.T), dim=1)
        return torch.cat([along, rest[:, None]], 1).numpy()


def pay(rows: int, width: int) -> bool:
    """Whether a bank is large enough for bounds."""
    return rows * width >= _LARGE and width >= 3 * _DIMENSIONS


def memory_bytes(rows: int, width: int) -> int:
    """What bounds keep in memory, if there are any."""
    return 4 * rows * (_DIMENSIONS + 1) if pay(rows, width) else 0


def distances(
    queries: NDArray[np.float32], bank: NDArray[np.float32], ids: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Euclidean distances (n,) between queries and the bank rows of the same position in `ids`."""
    squared = np.empty(len(queries), np.float32)
    for start in range(0, len(queries), _COMPARED):
        part = slice(start, start + _COMPARED)
        difference = queries[part] - bank[ids[part]]
        squared[part] = np.einsum("ij,ij->i", difference, difference)
    return np.sqrt(squared)


def _directions(rows: NDArray[np.float32], count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The mean of some rows, (C,), and orthonormal directions in which they vary about most, (count, C)."""
    sample = torch.from_numpy(rows[evenly(len(rows), min(_SAMPLE, len(rows)))])
    mean = sample.mean(0)
    columns = (sample - mean).T.contiguous()
    scatter = linear(columns, columns).double()
    draw = torch.Generator().manual_seed(0)
    basis = torch.randn(len(scatter), count, generator=draw, dtype=torch.float64)
    for _ in range(_ITERATIONS):
        basis = torch.linalg.qr(scatter @ basis).Q
    return mean, basis.T.float().contiguous()
