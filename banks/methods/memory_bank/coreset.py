"""Which rows of a patch library a bank keeps: random projection, then greedy k-centre (paper sec. 3.4,
PatchCore).

The published loop reads every row once per pick. `greedy` makes the same picks in the same order from matrix
products. A product only bounds each distance from below; `greedy` then computes every distance that could
matter directly. So the picks do not depend on the BLAS kernel, the chunk size, the thread count or the
device.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from models.numerics.process import blas_threads, exact_products

_PROJECTION_ROWS = 512  # a chunk and its transpose stay in the second-level cache
_TILE = 1 << 19  # distances and rows' channels that a worker holds at a time (2 MiB)
_BLOCK = 1 << 16  # distances computed directly at a time; larger temporaries cost page faults
_DEVICE_TILE = 1 << 26  # distances that a device holds at a time
_DEVICE_BLOCK = 1 << 18  # distances that a device computes directly at a time
_POOL = (512, 4096)  # fewest and most farthest rows that are searched between two passes over the library
_POOL_SHARE = 16  # of the library: a pass over few rows costs less than a search of a large pool
_UNIT = 2.0**-24  # unit roundoff of float32


def projected_width(count: int, width: int, eps: float = 0.9) -> int:
    """Columns left by `project`: the Johnson-Lindenstrauss bound, or `width` where that is not smaller.

    The published code meets sklearn's ValueError in that case and goes on unprojected.
    """
    from sklearn.random_projection import johnson_lindenstrauss_min_dim

    if count < 2:
        return width
    target = int(johnson_lindenstrauss_min_dim(count, eps=eps))
    return target if target <= width else width


class PatchLibrary(Protocol):
    """(N, C) float32 patch rows: an array, or rows that are read from disk slice by slice."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def ndim(self) -> int: ...
    @property
    def dtype(self) -> np.dtype[Any]: ...
    def __getitem__(self, rows: slice, /) -> NDArray[np.float32]: ...


def project(
    rows: PatchLibrary, *, eps: float = 0.9, seed: int, out: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """Sparse random projection of a patch library, bit for bit what sklearn makes of the whole array.

    rows: read once, in chunks.
    eps: distortion of the projection; see `projected_width`.
    seed: of the random matrix.
    out: (N, projected_width(N, C, eps)) float32 to fill; None makes a new array.

    Where the projection would not shrink the rows, the rows come back as they are, or as a copy in `out`.
    Raises ValueError on a wrong shape or dtype.
    """
    from sklearn.random_projection import SparseRandomProjection, johnson_lindenstrauss_min_dim

    if rows.ndim != 2 or rows.dtype != np.float32:
        raise ValueError(f"rows must be (N, C) float32, not {rows.shape} {rows.dtype}")
    count, width = rows.shape
    target = projected_width(count, width, eps)
    if out is not None and (out.shape != (count, target) or out.dtype != np.float32):
        raise ValueError(f"out must be {(count, target)} float32, not {out.shape} {out.dtype}")
    if count < 2 or johnson_lindenstrauss_min_dim(count, eps=eps) > width:
        if out is None:
            return rows[:]
        out[:] = rows[:]
        return out
    out = np.empty((count, target), np.float32) if out is None else out
    # The matrix depends on the two widths and the seed only, so one row is enough to draw it.
    drawing = SparseRandomProjection(n_components=target, random_state=seed)  # pyright: ignore[reportArgumentType]
    matrix = drawing.fit(rows[:1]).components_

    def project_chunk(chunk: slice) -> None:
        out[chunk] = (matrix @ np.ascontiguousarray(rows[chunk].T)).T

    with ThreadPoolExecutor(_workers()) as pool:
        for _ in pool.map(project_chunk, _slices(count, _PROJECTION_ROWS)):
            pass
    return out


def greedy(
    projected: NDArray[np.float32],
    count: int,
    *,
    start: int = 0,
    device: str = "cpu",
    progress: Callable[[int, int], None] | None = None,
) -> NDArray[np.int64]:
    """Greedy k-centre: pick `start`, then always the row that is farthest from all picks.

    Of rows that are equally far the lowest index is picked. No row is picked twice. Picking stops early where
    all other rows are copies of picks. Distances are squared Euclidean, summed in float64 and rounded to
    float32.

    projected: (N, d) finite float32.
    count: rows to pick.
    device: where the passes over all rows run. On CUDA the device holds the rows, too.
    progress: called with the picks done and the picks wanted.

    Returns (n,) int64 in the order of picking, n at most `count`. Memory beside `projected`: three vectors of
    N and about 100 MB. Raises ValueError on bad arguments.
    """
    if projected.ndim != 2 or projected.dtype != np.float32:
        raise ValueError(f"projected must be (N, d) float32, not {projected.shape} {projected.dtype}")
    total = len(projected)
    if not 0 < count <= total or not 0 <= start < total:
        raise ValueError(f"cannot pick {count} of {total} rows starting at row {start}")
    library = _Library(projected) if device == "cpu" else _DeviceLibrary(projected, device)
    near = np.full(total, np.inf, np.float32)  # squared distance to the nearest pick, -inf once picked
    picks = np.empty(count, np.int64)
    picks[0] = start
    done, new = 0, 1
    with blas_threads(1):  # the chunks are the parallelism
        while True:
            fresh = picks[done : done + new]
            done += new
            if progress is not None:
                progress(done, count)
            if done == count:
                return picks
            library.lower(near, fresh)
            near[fresh] = -np.inf
            found = _pick_round(library, near, count - done)
            new = len(found)
            if not new:  # only copies are left
                if progress is not None:
                    progress(done, done)
                return picks[:done]
            picks[done : done + new] = found


def _pick_round(library: _Library, near: NDArray[np.float32], wanted: int) -> NDArray[np.int64]:
    """The next picks: as many as can be proved from the pool of farthest rows alone.

    Distances to the picks only shrink. So a pool row that is farther than every row outside the pool is the
    farthest row of all. Empty where every row that is left is a copy of a pick.
    """
    pool, rival = _pool(near)
    farthest_outside = near[rival] if rival >= 0 else -np.inf
    rows = library.rows[pool]
    floor = library.floor(pool)
    left = near[pool]
    found: list[int] = []
    while len(found) < wanted:
        at = int(left.argmax())  # the pool is in index order: the first maximum is the lowest index
        if left[at] <= 0 or left[at] < farthest_outside:
            break
        if left[at] == farthest_outside and 0 <= rival < pool[at]:
            break
        found.append(at)
        maybe = np.flatnonzero(floor[at] < left)
        left[maybe] = np.minimum(left[maybe], _squared(rows[maybe], rows[at]))
        left[at] = -np.inf
    return pool[found]


def _pool(near: NDArray[np.float32]) -> tuple[NDArray[np.int64], int]:
    """The farthest rows in index order, and the farthest row outside of them, the lowest index among equals
    (-1 if no row is outside)."""
    fewest, most = _POOL
    size = min(max(fewest, len(near) // _POOL_SHARE), most, len(near))
    edge = np.partition(near, len(near) - size)[len(near) - size]
    above = np.flatnonzero(near > edge)
    level = np.flatnonzero(near == edge)
    room = size - len(above)
    rival = int(level[room]) if len(level) > room else -1
    if rival < 0 and size < len(near):
        below = np.where(near < edge, near, -np.inf)
        rival = int(below.argmax())
    return np.sort(np.concatenate([above, level[:room]])), rival


class _Library:
    """The rows on the CPU. Matrix products give lower bounds on the distances between rows."""

    def __init__(self, rows: NDArray[np.float32]) -> None:
        self.rows = rows
        chunks = list(_slices(len(rows), 4096))
        self.centre = np.sum(
            [rows[c].sum(axis=0, dtype=np.float64) / len(rows) for c in chunks], axis=0
        ).astype(np.float32)
        self.square = np.concatenate([_squared(rows[c], self.centre) for c in chunks])
        if not np.isfinite(self.square).all():
            raise ValueError("rows hold NaN, infinity or values too large for squared distances in float32")
        # Bound on the error of |x|^2 + |y|^2 - 2xy in float32, in any order of summation, as a share of
        # |x|^2 + |y|^2: half of d + 1 roundings in the product, plus centring, the squares and the last sums.
        self.share = np.float32((rows.shape[1] + 32) * _UNIT)
        self.scratch = [np.empty(0, np.float32) for _ in range(_workers())]

    def floor(self, index: NDArray[np.int64]) -> NDArray[np.float32]:
        """(n, n) lower bounds on the squared distances between the rows of an index."""
        rows = self.rows[index] - self.centre
        square = self.square[index] * (1 - self.share)
        bound = rows @ (-2 * rows.T)
        bound += square
        bound += square[:, None]
        return bound

    def lower(self, near: NDArray[np.float32], picks: NDArray[np.int64]) -> None:
        """Bring `near` down to the distances to the new picks, in place."""
        centres = self._lifted(picks)
        step = max(64, _TILE // (len(picks) + self.rows.shape[1] + 1))  # the tile and the rows beside it
        parts = list(_slices(len(self.rows), step))
        workers = len(self.scratch)

        def work(worker: int) -> None:
            tile, lifted = self._buffers(worker, step, len(picks))
            for part in parts[worker::workers]:
                size = part.stop - part.start
                np.subtract(self.rows[part], self.centre, out=lifted[:size, :-1])
                np.matmul(lifted[:size], centres, out=tile[:size])
                self._settle(near, part, tile[:size], picks)

        with ThreadPoolExecutor(workers) as pool:
            for _ in pool.map(work, range(workers)):
                pass

    def _buffers(self, worker: int, step: int, count: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """A worker's tile (step, count) and rows with a 1 appended (step, d + 1), in memory kept between
        rounds."""
        width = self.rows.shape[1] + 1
        if len(self.scratch[worker]) < step * (count + width):
            self.scratch[worker] = np.empty(step * (count + width), np.float32)
        tile = self.scratch[worker][: step * count].reshape(step, count)
        lifted = self.scratch[worker][step * count : step * (count + width)].reshape(step, width)
        lifted[:, -1] = 1
        return tile, lifted

    def _lifted(self, picks: NDArray[np.int64]) -> NDArray[np.float32]:
        """(d + 1, k) matrix. A row with a 1 appended, times this matrix, gives the lower bounds on the row's
        distances to k picks, without the row's own square."""
        square = self.square[picks] * (1 - self.share)
        return np.concatenate([-2 * (self.rows[picks] - self.centre), square[:, None]], axis=1).T

    def _settle(
        self, near: NDArray[np.float32], part: slice, bound: NDArray[np.float32], picks: NDArray[np.int64]
    ) -> None:
        """Compute directly each distance that may be a new minimum by the bounds (rows of `part`, picks)."""
        own = self.square[part] * (1 - self.share)
        least = bound.min(axis=1)
        open_ = np.flatnonzero(least + own < near[part])
        if not len(open_):
            return
        slack = 2 * self.share * (self.square[part][open_] + self.square[picks].max())
        limit = np.minimum(least[open_] + slack, (near[part] - own)[open_])
        for block in _slices(len(open_), max(1, _BLOCK // len(picks))):
            close = np.flatnonzero(bound[open_[block]] <= limit[block, None])
            row, pick = np.divmod(close, len(picks))
            row = open_[block][row] + part.start
            np.minimum.at(near, row, _squared(self.rows[row], self.rows[picks[pick]]))


class _DeviceLibrary(_Library):
    """A library whose passes over all rows run on a CUDA device."""

    def __init__(self, rows: NDArray[np.float32], device: str) -> None:
        super().__init__(rows)
        self.device = torch.device(device)
        self.device_rows = torch.tensor(rows, device=self.device)
        self.device_centre = torch.tensor(self.centre, device=self.device)
        self.device_square = torch.tensor(self.square, device=self.device)

    def lower(self, near: NDArray[np.float32], picks: NDArray[np.int64]) -> None:
        with exact_products():  # TF32 would break the error bound
            device_near = torch.tensor(near, device=self.device)
            centres = torch.tensor(self._lifted(picks), device=self.device)
            device_picks = torch.tensor(picks, device=self.device)
            for part in _slices(len(self.rows), max(64, _DEVICE_TILE // len(picks))):
                self._settle_on_device(device_near, part, centres, device_picks)
            near[:] = device_near.cpu().numpy()

    def _settle_on_device(
        self, near: torch.Tensor, part: slice, centres: torch.Tensor, picks: torch.Tensor
    ) -> None:
        """`_settle` in torch. `near`, `centres` and `picks` are on the device."""
        rows, share = self.device_rows[part], float(self.share)
        bound = torch.addmm(centres[-1], rows - self.device_centre, centres[:-1])
        own = self.device_square[part] * (1 - share)
        least = bound.amin(dim=1)
        open_ = torch.nonzero(least + own < near[part]).squeeze(1)
        slack = 2 * share * (self.device_square[part][open_] + self.device_square[picks].max())
        limit = torch.minimum(least[open_] + slack, (near[part] - own)[open_])
        row, pick = torch.nonzero(bound[open_] <= limit[:, None], as_tuple=True)
        row = open_[row] + part.start
        for block in _slices(len(row), _DEVICE_BLOCK):
            own_rows, picked = self.device_rows[row[block]], self.device_rows[picks[pick[block]]]
            value = (own_rows.double() - picked.double()).square_().sum(dim=1).float()
            near.scatter_reduce_(0, row[block], value, "amin")


def _squared(rows: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    """Squared Euclidean distances of (n, d) rows to (n, d) or (d,) others, rounded once to float32."""
    difference = np.subtract(rows, others, dtype=np.float64)
    return np.einsum("ij,ij->i", difference, difference).astype(np.float32)


def _slices(total: int, step: int) -> Iterator[slice]:
    """Consecutive slices of at most `step` that cover range(total)."""
    for first in range(0, total, step):
        yield slice(first, min(first + step, total))


def _workers() -> int:
    """Threads for chunked work: the cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
