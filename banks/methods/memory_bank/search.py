"""The nearest bank row of every query. A search names the row; its distance is then computed directly.

`HostSearch` searches on the host with arrays, by FAISS or by code of this repository. `TensorSearch`
searches by FAISS on a device with tensors that never leave the device. Both answer on the host.
"""

from __future__ import annotations

from collections import deque
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property, lru_cache
from typing import Any, Protocol

import faiss
import numpy as np
import torch
from numpy.typing import NDArray

from banks.methods.memory_bank.bounds import Bounds, distances, pay
from banks.methods.memory_bank.halves import nearest_by_halves, repeating_from, worth_it
from banks.methods.memory_bank.nearest import Halves, narrow, nearest_ids
from models.features import Rows

Nearest = tuple[NDArray[np.float32], NDArray[np.int64]]
"""Euclidean distances (n,) float32 and ids (n,) int64."""

_LARGEST = 1e18  # FAISS answers 3.4e38 and id -1 where it fails
_TEMP_MEMORY = 512 << 20  # bytes a GPU search may use beside the banks
_CHUNK = 256  # queries whose rows are compared at a time
_dropped: deque[Any] = deque()  # GPU indices that nobody uses any more; the thread that searches frees them

# By default FAISS takes its BLAS path only for large products. For 1,600 queries of 33 channels its other
# path is five times slower and finds the same ids. With a low threshold a part's path also does not depend on
# how many of its patches are equal.
faiss.cvar.distance_compute_blas_threshold = 20


class NonFiniteScore(ArithmeticError):
    """A query or a distance is NaN, infinite or absurdly large: there is no score to give."""


class Search(Protocol):
    """What a memory bank needs of a search. Queries are rows that `take` gave."""

    def take(self, rows: Rows) -> Rows:
        """Rows as the array or tensor that this search takes, copied only if they lie on another device."""
        ...

    def nearest(self, queries: Any) -> Nearest:
        """The nearest row of each query. Raises NonFiniteScore where FAISS finds none."""
        ...

    def ids(self, queries: Any, k: int) -> NDArray[np.int64]:
        """(n, k) rows, nearest first. Raises NonFiniteScore where FAISS finds fewer."""
        ...

    def operations(self, queries: Any) -> int:
        """Multiplications and additions that `nearest` needs for these queries."""
        ...


def search_on(device: str, index: Any, rows: NDArray[np.float32], *, half: bool) -> Search:
    """The search for a device.

    device: "cpu" or "cuda[:n]".
    index: an IndexFlatL2 that holds `rows`.
    half: whether a GPU keeps the rows as float16.
    Raises ValueError for a device that FAISS cannot search on here.
    """
    if device == "cpu":
        return HostSearch(index, rows)
    place = torch.device(device)
    if place.type != "cuda" or not hasattr(faiss, "StandardGpuResources"):
        raise ValueError(f"no FAISS index can live on {device!r} here; install faiss-gpu for CUDA")
    place = torch.device("cuda", place.index or 0)
    options = faiss.GpuClonerOptions()
    options.useFloat16 = half
    return TensorSearch(faiss.index_cpu_to_gpu(_gpu_resources(), place.index, index, options), place)


@lru_cache(maxsize=1)
def _gpu_resources() -> Any:
    """The process's only resources: FAISS on a GPU belongs to one thread, the thread that scores."""
    resources = faiss.StandardGpuResources()
    resources.setTempMemory(_TEMP_MEMORY)
    return resources


def indices_dropped() -> bool:
    """Whether there are GPU indices to free."""
    return bool(_dropped)


def free_dropped() -> None:
    """Free the GPU indices that are no longer used.

    Only the thread that searches may call this. FAISS's memory on a device has no lock, so a thread that
    frees an index while another searches can end the process.
    """
    while _dropped:
        _dropped.popleft()


class HostSearch:
    """A CPU index and NumPy arrays. Equal queries are searched once. In a large bank, the nearest row is
    proved in few dimensions where that can be. Halves of queries that repeat are multiplied once."""

    def __init__(self, index: Any, rows: NDArray[np.float32]) -> None:
        self._index = index
        self._rows = rows

    def take(self, rows: Rows) -> NDArray[np.float32]:
        """See `Search`."""
        return rows.detach().cpu().numpy() if isinstance(rows, torch.Tensor) else rows

    def nearest(self, queries: NDArray[np.float32]) -> Nearest:
        """See `Search`."""
        first, inverse = _distinct(queries)
        distinct = queries[first] if len(first) < len(queries) else queries
        ids = self._nearest_ids(distinct, repeating_from(queries))
        found = distances(distinct, self._rows, ids)
        if not (found < _LARGEST).all():
            raise NonFiniteScore("a distance to the bank is not finite")
        return found[inverse], ids[inverse]

    def operations(self, queries: NDArray[np.float32]) -> int:
        """See `Search`. By all dimensions: what bounds save depends on the part."""
        count, width, start = len(_distinct(queries)[0]), queries.shape[1], repeating_from(queries)
        halves = len(_distinct(queries[:, start:])[0]) if start < width else count
        return 2 * len(self._rows) * min(count * width, count * start + halves * (width - start))

    def _nearest_ids(self, queries: NDArray[np.float32], start: int) -> NDArray[np.int64]:
        """(n,) int64. start: the first of the channels that repeat from query to query."""
        if narrow(queries.shape[1]):
            return nearest_ids(queries, Halves(start, *_distinct(queries[:, start:])), self._rows)
        if self._bounds is None:
            return self._all_dimensions(queries, start)
        ids, proved = self._bounds.nearest(queries)
        if not proved.all():
            ids[~proved] = self._all_dimensions(queries[~proved], start)
        return ids

    def _all_dimensions(self, queries: NDArray[np.float32], start: int) -> NDArray[np.int64]:
        if start < queries.shape[1]:
            first, inverse = _distinct(queries[:, start:])
            if worth_it(len(queries), len(first), queries.shape[1], start):
                return nearest_by_halves(queries, self._rows, self._norms, start, first, inverse)
        return self.ids(queries, 1)[:, 0]

    @cached_property
    def _bounds(self) -> Bounds | None:
        """Made at the first search; None where the bank is too small for them."""
        return Bounds(self._rows) if pay(*self._rows.shape) else None

    @cached_property
    def _norms(self) -> torch.Tensor:
        """(R,) float32 squared norms of the bank's rows."""
        return torch.from_numpy(np.einsum("ij,ij->i", self._rows, self._rows))

    def ids(self, queries: NDArray[np.float32], k: int) -> NDArray[np.int64]:
        """See `Search`."""
        ids = self._index.search(np.ascontiguousarray(queries), k)[1]
        if ids.min(initial=0) < 0:
            raise NonFiniteScore("FAISS found no nearest row")
        return ids


class TensorSearch:
    """A GPU index and torch tensors on the same device.

    The rows come back from the index, so the device holds one copy of the bank.
    """

    def __init__(self, index: Any, device: torch.device) -> None:
        import faiss.contrib.torch_utils  # noqa: F401  lets FAISS take tensors, on torch's CUDA stream

        self._index = index
        self._device = device

    def __del__(self) -> None:
        """Leave the index to the thread that searches: this may run on any thread."""
        if hasattr(self, "_index"):
            _dropped.append(self._index)

    def take(self, rows: Rows) -> torch.Tensor:
        """See `Search`."""
        return torch.as_tensor(rows).detach().to(self._device)

    def nearest(self, queries: torch.Tensor) -> Nearest:
        """See `Search`."""
        free_dropped()
        with self._current():
            _, ids, rows = self._index.search_and_reconstruct(queries.contiguous(), 1)
        distances = torch.linalg.vector_norm(queries - rows[:, 0], dim=1).cpu().numpy()
        if not (distances < _LARGEST).all():
            raise NonFiniteScore("a distance to the bank is not finite")
        return distances, _found(ids)[:, 0]

    def ids(self, queries: torch.Tensor, k: int) -> NDArray[np.int64]:
        """See `Search`."""
        with self._current():
            return _found(self._index.search(queries.contiguous(), k)[1])

    def operations(self, queries: torch.Tensor) -> int:
        """See `Search`."""
        return 2 * self._index.ntotal * queries.numel()

    def _current(self) -> AbstractContextManager[Any]:
        """FAISS takes the stream of torch's current device, whatever device its index is on."""
        return torch.cuda.device(self._device) if self._device.type == "cuda" else nullcontext()


def _found(ids: torch.Tensor) -> NDArray[np.int64]:
    """Ids on the host. Raises NonFiniteScore where FAISS found none."""
    found = ids.cpu().numpy()
    if found.min(initial=0) < 0:
        raise NonFiniteScore("FAISS found no nearest row")
    return found


def check_finite(rows: Rows, what: str) -> None:
    """Raise NonFiniteScore unless every row's squared norm is finite and small enough to subtract.

    what: names the rows in the error.
    """
    if isinstance(rows, torch.Tensor):
        sound = (rows.square().sum(1) < _LARGEST**2).cpu().numpy()
    else:
        with np.errstate(over="ignore", invalid="ignore"):
            sound = np.einsum("ij,ij->i", rows, rows) < _LARGEST**2
    if not sound.all():
        raise NonFiniteScore(f"{what} {int(sound.argmin())} holds NaN, infinity or huge values")


def _distinct(rows: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Indices of distinct rows, and for each row the position of its equal among these indices.

    Rows are grouped by a hash of 16 columns and then compared whole. So a collision of the hash costs one
    more search and never changes an answer.
    """
    columns = np.linspace(0, rows.shape[1] - 1, min(16, rows.shape[1])).astype(np.int64)
    bits = np.ascontiguousarray(rows[:, columns]).view(np.uint32).astype(np.uint64)
    odd = np.random.default_rng(0).integers(1 << 62, size=len(columns), dtype=np.uint64) | np.uint64(1)
    mixed = (bits * odd).sum(axis=1)
    _, first, inverse = np.unique(mixed, return_index=True, return_inverse=True)
    repeats = np.flatnonzero(first[inverse] != np.arange(len(rows)))
    same = np.empty(len(repeats), bool)
    for start in range(0, len(repeats), _CHUNK):
        chunk = repeats[start : start + _CHUNK]
        same[start : start + _CHUNK] = (rows[chunk] == rows[first[inverse[chunk]]]).all(axis=1)
    collided = repeats[~same]
    inverse[collided] = len(first) + np.arange(len(collided))
    first = np.concatenate([first, collided])
    if len(first) == len(rows):
        return np.arange(len(rows)), np.arange(len(rows))
    return first, inverse
