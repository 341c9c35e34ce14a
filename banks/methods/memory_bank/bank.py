"""A bank of good patches: nearest distances and the re-weighted image score (paper sec. 3.4)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import faiss
import numpy as np
import torch
from numpy.typing import NDArray

from banks.methods.memory_bank.search import NonFiniteScore, Search, check_finite, search_on
from models.features import Rows
from recipes.banks import PLAIN, Precision, Reweighting

_BYTE_LIMIT = 1 << 34  # largest vector a bank file may announce; FAISS itself would allow 1 TB
_LOOP_LIMIT = 1_000_000


class BadIndex(ValueError):
    """Bytes that are not a bank this service wrote."""


def reweighted(
    farthest: float, around: NDArray[np.float64], dimension: int, settings: Reweighting = PLAIN
) -> float:
    """The image score w * s with w = 1 - exp(s / D) / (sum_j exp(r_j / D) + epsilon), D = sqrt(dimension).

    farthest: s, the largest nearest distance.
    around: (neighbours - 1,) distances r_j from the same query to the bank rows around its nearest row. Where
        it is empty, the score is s.
    dimension: channels of a row.

    Numerator and denominator are divided by exp(s / D), so that large distances do not overflow.
    """
    farthest, around = farthest / settings.divisor, around / settings.divisor
    if not len(around):
        return farthest
    unit = np.sqrt(dimension)
    with np.errstate(over="ignore"):
        crowd = np.exp((around - farthest) / unit).sum() + settings.epsilon * np.exp(-farthest / unit)
    return float((1 - 1 / crowd) * farthest)


@dataclass(frozen=True, slots=True)
class BankScore:
    """One part against one bank.

    distances: (n,) float32, Euclidean, from each patch to its nearest bank row, by the row's scale.
    ids: (n,) int64, the nearest bank row of each patch.
    image_score: the re-weighted largest distance.
    """

    distances: NDArray[np.float32]
    ids: NDArray[np.int64]
    image_score: float


class MemoryBank:
    """The kept rows of one patch library in a FAISS index.

    FAISS names the nearest row of a query. The distance is then computed directly, without the cancellation
    of |q|^2 + |b|^2 - 2qb, so a score hardly depends on the BLAS kernel or the device.
    Queries are searched part by part: a part's answer never depends on other parts. For a CUDA device the
    search runs on the device, and queries on that device do not come to the host.
    """

    def __init__(self, index: Any, *, device: str = "cpu", precision: Precision = "float32") -> None:
        """index: a FAISS IndexFlatL2 that holds finite rows. precision: what the rows are rounded to.

        Raises NonFiniteScore for rows that are not finite.
        """
        self._index = index
        self._device = device
        self.precision: Precision = precision
        self.rows: NDArray[np.float32] = faiss.rev_swig_ptr(index.get_xb(), index.ntotal * index.d).reshape(
            index.ntotal, index.d
        )
        """(R, C) float32: the index's own memory, not a copy."""
        check_finite(self.rows, "bank row")

    @classmethod
    def of(
        cls, rows: NDArray[np.float32], *, device: str = "cpu", precision: Precision = "float32"
    ) -> MemoryBank:
        """A bank of these rows.

        rows: (R, C) float32, finite, R > 0; copied.
        precision: "float16" rounds the rows. A CPU searches with whole queries. FAISS on a GPU rounds the
            queries too while it looks for the nearest row, but the distance to that row is computed from
            whole queries.
        Raises ValueError for other rows, NonFiniteScore for rows that are not finite.
        """
        if rows.ndim != 2 or rows.dtype != np.float32 or not rows.size:
            raise ValueError(f"a bank needs (R, C) float32 rows, not {rows.shape} {rows.dtype}")
        index = faiss.IndexFlatL2(rows.shape[1])
        index.add(_rounded(np.ascontiguousarray(rows), precision))
        return cls(index, device=device, precision=precision)

    def like(self, rows: NDArray[np.float32]) -> MemoryBank:
        """A bank of other rows, on the same device and in the same precision. rows: as for `of`."""
        return MemoryBank.of(rows, device=self._device, precision=self.precision)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def dimension(self) -> int:
        """Channels of a row."""
        return self.rows.shape[1]

    def take(self, rows: Rows) -> Rows:
        """Rows as an array or a tensor of the device that searches, copied only from another device."""
        return self._search.take(rows)

    def nearest(self, rows: Rows) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Distance (n,) float32, Euclidean, to the nearest bank row, and its id (n,) int64.

        rows: (n, C) float32 of one part; equal rows are searched once.
        Raises NonFiniteScore if a row or a distance is not finite, ValueError on a wrong shape or dtype.
        """
        return self._search.nearest(self._queries(rows))

    def operations(self, rows: Rows) -> int:
        """Multiplications and additions that `nearest` needs for these rows."""
        return self._search.operations(self._queries(rows))

    def around(self, rows: Rows, count: int) -> NDArray[np.int64]:
        """Ids of the bank rows around each row, nearest first: (n, k) int64, k = `count`, or all rows.

        rows: (n, C) float32. Raises NonFiniteScore and ValueError as `nearest` does.
        """
        return self._search.ids(self._queries(rows), min(count, len(self)))

    def score(
        self, rows: Rows, reweighting: Reweighting = PLAIN, scales: NDArray[np.float32] | None = None
    ) -> BankScore:
        """Score one part: its nearest distances, and the re-weighted largest distance (paper eq. 8-9,
        PatchCore eq. 7). Of equal largest distances the first counts.

        rows: (n, C) float32, n > 0.
        reweighting: settings of the image score.
        scales: (R,) float32 above 0; the distances of a patch are divided by that of its nearest row.
        Raises NonFiniteScore and ValueError as `nearest` does.
        """
        queries = self._queries(rows)
        distances, ids = self._search.nearest(queries)
        if scales is not None:
            distances = distances / scales[ids]
        at = int(distances.argmax())
        nearest = self.rows[ids[at]]
        around = self.around(nearest[None], reweighting.neighbours)[0, 1:]  # rank 0 is the row itself
        farthest = torch.as_tensor(queries[at]).cpu().numpy()
        reach = np.linalg.norm(self.rows[around].astype(np.float64) - farthest, axis=1)
        if scales is not None:
            reach = reach / scales[ids[at]]
        image_score = reweighted(float(distances[at]), reach, self.dimension, reweighting)
        if not np.isfinite(image_score):
            raise NonFiniteScore("the image score is not finite")
        return BankScore(distances, ids, image_score)

    def to_bytes(self) -> bytes:
        """A serialised FAISS index in CPU form: flat, or scalar quantised to float16 (half the size)."""
        index = self._index
        if self.precision == "float16":
            index = faiss.IndexScalarQuantizer(self.dimension, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_L2)
            index.add(self.rows)
        return faiss.serialize_index(index).tobytes()

    @classmethod
    def from_bytes(cls, data: bytes | memoryview, *, device: str = "cpu") -> MemoryBank:
        """Inverse of `to_bytes`. Check the bytes' sha256 first: FAISS has none.

        Raises BadIndex on anything but a whole, non-empty flat L2 index or its float16 form.
        """
        faiss.set_deserialization_vector_byte_limit(_BYTE_LIMIT)
        faiss.set_deserialization_loop_limit(_LOOP_LIMIT)
        try:
            index = faiss.deserialize_index(np.frombuffer(data, np.uint8))
        except (RuntimeError, MemoryError) as error:
            raise BadIndex("not a readable FAISS index") from error
        precision: Precision = "float32" if type(index) is faiss.IndexFlatL2 else "float16"
        try:
            return cls(_as_flat(index), device=device, precision=precision)
        except NonFiniteScore as error:
            raise BadIndex(str(error)) from error

    @cached_property
    def _search(self) -> Search:
        """The search. The index moves to the GPU at the first search, so that another thread than the owner
        of the device may load a bank."""
        return search_on(self._device, self._index, self.rows, half=self.precision == "float16")

    def _queries(self, rows: Rows) -> Rows:
        taken = self.take(rows)
        shape, kind = tuple(taken.shape), str(taken.dtype).removeprefix("torch.")
        if len(shape) != 2 or shape[1] != self.dimension or kind != "float32":
            raise ValueError(f"queries must be (n, {self.dimension}) float32, not {shape} {kind}")
        check_finite(taken, "query")
        return taken


def _as_flat(index: Any) -> Any:
    """The index as a flat one. float16 rows are decoded: scalar quantised search is many times slower.

    Raises BadIndex for any other index.
    """
    if index.ntotal < 1 or index.metric_type != faiss.METRIC_L2:
        raise BadIndex("an empty index, or one with another metric")
    if type(index) is faiss.IndexFlatL2 and index.codes.size() == index.ntotal * index.d * 4:
        return index
    if type(index) is faiss.IndexScalarQuantizer and index.sq.qtype == faiss.ScalarQuantizer.QT_fp16:
        flat = faiss.IndexFlatL2(index.d)
        flat.add(index.reconstruct_n(0, index.ntotal))
        return flat
    raise BadIndex(f"{type(index).__name__} is no bank index")


def _rounded(rows: NDArray[np.float32], precision: Precision) -> NDArray[np.float32]:
    """The values that `precision` can hold; too large ones become infinite."""
    if precision == "float32":
        return rows
    with np.errstate(over="ignore"):
        return rows.astype(np.float16).astype(np.float32)
