"""One bank of good patches: nearest distances and the re-weighted image score (paper sec. 3.4; M3DM
features.py)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import faiss
import numpy as np
import torch
from numpy.typing import NDArray

Rows = NDArray[np.float32] | torch.Tensor
"""(n, C) float32, on any device."""

_BYTE_LIMIT = 1 << 34  # largest vector a bank file may announce; FAISS itself would allow 1 TB
_LOOP_LIMIT = 1_000_000
_LARGEST = 1e18  # FAISS answers 3.4e38 and id -1 where it fails
_TEMP_MEMORY = 512 << 20  # bytes a GPU search may use beside the banks
_CHUNK = 256


class NonFiniteScore(ArithmeticError):
    """A query or a distance is NaN, infinite or absurdly large: there is no score to give."""


class BadIndex(ValueError):
    """Bytes that are not a bank this service wrote."""


@dataclass(frozen=True, slots=True)
class Normaliser:
    """(rows - mean) / std in float32, with one number for all channels or one each.

    mean, std: (1,) or (C,) finite numbers; std above 0.
    """

    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)

    def __post_init__(self) -> None:
        numbers = np.array([*self.mean, *self.std])
        if not self.mean or len(self.mean) != len(self.std):
            raise ValueError(f"{len(self.mean)} means for {len(self.std)} standard deviations")
        if not np.isfinite(numbers).all() or min(self.std) <= 0:
            raise ValueError("a normaliser needs finite means and positive finite standard deviations")

    @classmethod
    def fit(cls, chunks: Iterable[NDArray[np.float32]], *, per_channel: bool = False) -> Normaliser:
        """Mean and unbiased standard deviation (as torch.std) of all rows, accumulated in float64.

        chunks: (n, C) float32 pieces of the library, read once. A channel that never varies keeps a std of 1.
        Raises ValueError without at least two values.
        """
        count, mean, scatter = 0, np.zeros(1), np.zeros(1)
        for chunk in chunks:
            values = np.asarray(chunk if per_channel else chunk.reshape(-1, 1), np.float64)
            if not len(values):
                continue
            own = values.mean(axis=0)
            total = count + len(values)
            shift = own - mean
            values -= own
            scatter = (
                scatter + np.einsum("ij,ij->j", values, values) + shift**2 * (count * len(values) / total)
            )
            mean = mean + shift * (len(values) / total)
            count = total
        if count < 2:
            raise ValueError("a standard deviation needs at least two values")
        std = np.sqrt(scatter / (count - 1))
        return cls(tuple(mean.tolist()), tuple(np.where(std > 0, std, 1.0).tolist()))

    @classmethod
    def shared(cls, mean_of: Normaliser, std_of: Normaliser) -> Normaliser:
        """The mean of one library and the std of another (the published point mean and RGB std, facts T3)."""
        return cls(mean_of.mean, std_of.std)

    def __call__(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, C) float32 to (n, C) float32."""
        return (rows - np.asarray(self.mean, np.float32)) / np.asarray(self.std, np.float32)


@dataclass(frozen=True, slots=True)
class Reweighting:
    """How the image score weighs the farthest patch by how crowded its neighbour in the bank is.

    neighbours: bank rows around the nearest one, itself counted. epsilon: added to the denominator by the
    published RGB-only and point-only classes (1e-5). divisor: the published two-bank class divides
    distances by 1000 first.
    """

    neighbours: int = 3
    epsilon: float = 0.0
    divisor: float = 1.0

    def score(self, farthest: float, around: NDArray[np.float64], dimension: int) -> float:
        """w * s with w = 1 - exp(s / D) / (sum_j exp(r_j / D) + epsilon), D = sqrt(dimension).

        farthest: s, the largest nearest distance. around: (neighbours - 1,) distances r_j from the same
        query to the bank rows around its nearest one; with none there is nothing to weigh by and s is
        returned. Numerator and denominator are divided by exp(s / D), so that large distances do not
        overflow.
        """
        farthest, around = farthest / self.divisor, around / self.divisor
        if not len(around):
            return farthest
        unit = np.sqrt(dimension)
        with np.errstate(over="ignore"):
            crowd = np.exp((around - farthest) / unit).sum() + self.epsilon * np.exp(-farthest / unit)
        return float((1 - 1 / crowd) * farthest)


PLAIN = Reweighting()
"""The formula of the paper."""


@dataclass(frozen=True, slots=True)
class BankScore:
    """One part against one bank.

    distances: (n,) float32, Euclidean, to the nearest bank row. ids: (n,) int64, that row. image_score:
    re-weighted.
    """

    distances: NDArray[np.float32]
    ids: NDArray[np.int64]
    image_score: float


class MemoryBank:
    """The kept rows of one patch library in a FAISS index.

    FAISS names the nearest row; its distance is then computed directly, so a score does not carry the
    cancellation of |q|^2 + |b|^2 - 2qb and hardly depends on the BLAS kernel or the device. Queries are
    searched part by part: a part's answer never depends on other parts.
    """

    def __init__(self, rows: NDArray[np.float32], *, device: str = "cpu") -> None:
        """rows: (R, C) float32, finite, R > 0; copied. Raises ValueError otherwise."""
        if rows.ndim != 2 or rows.dtype != np.float32 or not rows.size:
            raise ValueError(f"a bank needs (R, C) float32 rows, not {rows.shape} {rows.dtype}")
        index = faiss.IndexFlatL2(rows.shape[1])
        index.add(np.ascontiguousarray(rows))
        self._adopt(index, device)

    def _adopt(self, index: Any, device: str) -> None:
        self._index = index
        self.rows: NDArray[np.float32] = faiss.rev_swig_ptr(index.get_xb(), index.ntotal * index.d).reshape(
            index.ntotal, index.d
        )
        _check_finite(self.rows, "bank row")
        self._device = device

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def dimension(self) -> int:
        """Channels of a row."""
        return self.rows.shape[1]

    def nearest(self, rows: Rows) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Distance (n,) float32, Euclidean, to the nearest bank row, and its id (n,) int64.

        rows: (n, C) float32 of one part; equal rows are searched once. Raises NonFiniteScore if a row or a
        distance is not finite, ValueError on a wrong shape or dtype.
        """
        queries = _host(rows)
        if queries.ndim != 2 or queries.shape[1] != self.dimension or queries.dtype != np.float32:
            found = f"{queries.shape} {queries.dtype}"
            raise ValueError(f"queries must be (n, {self.dimension}) float32, not {found}")
        _check_finite(queries, "query")
        first, inverse = _distinct(queries)
        distinct = queries[first] if len(first) < len(queries) else queries
        ids = self._nearest_ids(distinct, 1)[:, 0]
        distances = _distances(distinct, self.rows, ids)
        if not (distances < _LARGEST).all():
            raise NonFiniteScore("a distance to the bank is not finite")
        return distances[inverse], ids[inverse]

    def score(self, rows: Rows, reweighting: Reweighting = PLAIN) -> BankScore:
        """Score one part: nearest distances, and the re-weighted largest of them (paper eq. 8-9, PatchCore
        eq. 7).

        rows: (n, C) float32, n > 0. Of equal largest distances the first counts. Raises as `nearest` does.
        """
        queries = _host(rows)
        distances, ids = self.nearest(queries)
        at = int(distances.argmax())
        nearest = self.rows[ids[at]]
        wanted = min(reweighting.neighbours, len(self))
        around = self._nearest_ids(nearest[None], wanted)[0, 1:]  # rank 0 is the row itself
        reach = np.linalg.norm(self.rows[around].astype(np.float64) - queries[at], axis=1)
        image_score = reweighting.score(float(distances[at]), reach, self.dimension)
        if not np.isfinite(image_score):
            raise NonFiniteScore("the image score is not finite")
        return BankScore(distances, ids, image_score)

    def to_bytes(self, *, half: bool = False) -> bytes:
        """A serialised FAISS index in CPU form. half: float16 storage, half the size; distances move by
        about 1e-4."""
        index = self._index
        if half:
            index = faiss.IndexScalarQuantizer(self.dimension, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_L2)
            index.add(self.rows)
        return faiss.serialize_index(index).tobytes()

    @classmethod
    def from_bytes(cls, data: bytes | memoryview, *, device: str = "cpu") -> MemoryBank:
        """Inverse of `to_bytes`; float16 rows come back as float32. Check the bytes' sha256 first: FAISS
        has none.

        Raises BadIndex on anything but a whole, non-empty flat L2 index or its float16 form.
        """
        faiss.set_deserialization_vector_byte_limit(_BYTE_LIMIT)
        faiss.set_deserialization_loop_limit(_LOOP_LIMIT)
        try:
            index = faiss.deserialize_index(np.frombuffer(data, np.uint8))
        except (RuntimeError, MemoryError) as error:
            raise BadIndex("not a readable FAISS index") from error
        bank = cls.__new__(cls)
        try:
            bank._adopt(_as_flat(index), device)
        except NonFiniteScore as error:
            raise BadIndex(str(error)) from error
        return bank

    @cached_property
    def _search(self) -> Any:
        """The index that searches. It moves to the GPU at the first search, so that a bank may be loaded on
        another thread than the one that owns the device."""
        return self._index if self._device == "cpu" else _on_gpu(self._index, self._device)

    def _nearest_ids(self, queries: NDArray[np.float32], k: int) -> NDArray[np.int64]:
        ids = self._search.search(np.ascontiguousarray(queries), k)[1]
        if ids.min(initial=0) < 0:
            raise NonFiniteScore("FAISS found no nearest row")
        return ids


def _as_flat(index: Any) -> Any:
    """The index itself, or its float16 rows decoded: scalar quantised search is many times slower than
    flat."""
    if index.ntotal < 1 or index.metric_type != faiss.METRIC_L2:
        raise BadIndex("an empty index, or one with another metric")
    if type(index) is faiss.IndexFlatL2 and index.codes.size() == index.ntotal * index.d * 4:
        return index
    if type(index) is faiss.IndexScalarQuantizer and index.sq.qtype == faiss.ScalarQuantizer.QT_fp16:
        flat = faiss.IndexFlatL2(index.d)
        flat.add(index.reconstruct_n(0, index.ntotal))
        return flat
    raise BadIndex(f"{type(index).__name__} is no bank index")


@lru_cache(maxsize=1)
def _gpu_resources() -> Any:
    """One for the process: FAISS on a GPU belongs to one owner thread (facts 4, performance.md)."""
    resources = faiss.StandardGpuResources()
    resources.setTempMemory(_TEMP_MEMORY)
    return resources


def _on_gpu(index: Any, device: str) -> Any:
    name = torch.device(device)
    if name.type != "cuda" or not hasattr(faiss, "StandardGpuResources"):
        raise ValueError(f"no FAISS index can live on {device!r} here; install faiss-gpu for CUDA")
    return faiss.index_cpu_to_gpu(_gpu_resources(), name.index or 0, index)


def _host(rows: Rows) -> NDArray[np.float32]:
    return rows.detach().cpu().numpy() if isinstance(rows, torch.Tensor) else rows


def _check_finite(rows: NDArray[np.float32], what: str) -> None:
    """Raise NonFiniteScore unless every row's squared norm is finite and small enough to subtract."""
    with np.errstate(over="ignore", invalid="ignore"):
        norms = np.einsum("ij,ij->i", rows, rows)
    sound = norms < _LARGEST**2
    if not sound.all():
        raise NonFiniteScore(f"{what} {int(sound.argmin())} holds NaN, infinity or huge values")


def _distinct(rows: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Indices of distinct rows, and for each row the position of its equal among them.

    Groups by a hash of 16 columns, then compares whole rows, so a collision costs a search and never an
    answer.
    """
    columns = np.linspace(0, rows.shape[1] - 1, min(16, rows.shape[1])).astype(np.int64)
    bits = np.ascontiguousarray(rows[:, columns]).view(np.uint32).astype(np.uint64)
    odd = np.random.default_rng(0).integers(1 << 62, size=len(columns), dtype=np.uint64) | np.uint64(1)
    mixed = (bits * odd).sum(axis=1)
    _, first, inverse = np.unique(mixed, return_index=True, return_inverse=True)
    repeats = np.flatnonzero(first[inverse] != np.arange(len(rows)))
    same = np.empty(len(repeats), bool)
    for start in range(0, len(repeats), _CHUNK):
        some = repeats[start : start + _CHUNK]
        same[start : start + _CHUNK] = (rows[some] == rows[first[inverse[some]]]).all(axis=1)
    collided = repeats[~same]
    inverse[collided] = len(first) + np.arange(len(collided))
    first = np.concatenate([first, collided])
    if len(first) == len(rows):
        return np.arange(len(rows)), np.arange(len(rows))
    return first, inverse


def _distances(
    queries: NDArray[np.float32], bank: NDArray[np.float32], ids: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Euclidean distances (n,) between queries and the bank rows of the same position in `ids`."""
    squared = np.empty(len(queries), np.float32)
    for start in range(0, len(queries), _CHUNK):
        part = slice(start, start + _CHUNK)
        difference = queries[part] - bank[ids[part]]
        squared[part] = np.einsum("ij,ij->i", difference, difference)
    return np.sqrt(squared)
