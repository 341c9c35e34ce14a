"""Nearest rows of narrow banks on a CPU, in machine code (`nearest_kernels.py`).

Products and comparisons are one pass: a panel of rows and the sums of four queries stay in the processor's
cache. BLAS, which FAISS calls, writes every product to memory, where each is read again to be compared.
Halves of queries that repeat are multiplied once, as in `halves.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from banks.evenly import evenly
from models.numerics.machine_code import load_kernels
from models.numerics.process import helpers, threads_in_use

_SOURCE = Path(__file__).with_name("nearest_kernels.ll")
_TOGETHER = 4
"""Queries, halves and channels are multiples of this for the machine code."""
_LANES = 32
_MOST_ROWS = 256
_PANEL = 1 << 17
"""Numbers of a panel at most, half of a common cache of a core; a panel has 32 to 256 rows."""
_NARROW = 512
_SAMPLE = 256
"""Rows whose mean is the middle of a bank."""
_SMALL = 20_000_000
"""Multiplications below which a second thread costs more than it saves."""


@dataclass(frozen=True, slots=True)
class Halves:
    """Queries whose trailing channels repeat.

    start: the first channel of the repeating half; C where nothing repeats.
    first, of: the distinct halves, and the half of each query, as `numpy.unique` returns them.
    """

    start: int
    first: NDArray[np.int64]
    of: NDArray[np.int64]


def narrow(width: int) -> bool:
    """Whether rows of so many channels are searched here.

    For wider ones, products are nearly all of the work, and BLAS is faster.
    """
    return width <= _NARROW


def nearest_ids(queries: NDArray[np.float32], halves: Halves, bank: NDArray[np.float32]) -> NDArray[np.int64]:
    """The nearest row of each query, (n,) int64; of copies the first. The answer is the same with every
    number of threads.

    queries: (n, C) float32. bank: (R, C) float32.

    |b|^2 - 2 qb is compared, which rounding spoils where q and b are long beside their distance. So a query
    is compared from the nearer of two origins: zero, or the middle of the bank.
    """
    mean = bank[evenly(len(bank), min(len(bank), _SAMPLE))].mean(axis=0)
    # Of 8 bits, so that differences from it are exact, and rows that are equally near stay so.
    middle = (mean.view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32)
    from_zero = np.einsum("ij,j->i", queries, middle) <= np.einsum("j,j->", middle, middle) / 2
    ids = np.zeros(len(queries), np.int64)
    for origin, those in ((np.zeros_like(middle), from_zero), (middle, ~from_zero)):
        if those.any():
            used, of = np.unique(halves.of[those], return_inverse=True)
            some = queries if those.all() else queries[those]
            trailing = queries[halves.first[used], halves.start :]
            ids[those] = _from(origin, some[:, : halves.start], trailing, of, bank)
    return ids


def _from(
    origin: NDArray[np.float32],
    leading: NDArray[np.float32],
    trailing: NDArray[np.float32],
    of: NDArray[np.int64],
    bank: NDArray[np.float32],
) -> NDArray[np.int32]:
    """The nearest row of each query, (n,) int32, compared from an origin.

    origin: (C,). leading: (n, start), trailing: (H, C - start), the halves. of: (n,) each query's in
    `trailing`. bank: (R, C). All real numbers are float32.
    """
    (rows, width), (queries, start) = bank.shape, leading.shape
    leading, trailing = _filled(leading, origin[:start]), _filled(trailing, origin[start:])
    half_of = np.zeros(len(leading), np.int32)
    half_of[:queries] = of
    channels = leading.shape[1] + trailing.shape[1]
    most = min(_MOST_ROWS, max(_LANES, _PANEL // channels))
    threads = min(threads_in_use(), -(-rows // most)) if rows * leading.size > _SMALL else 1
    panels = -(-rows // (most * threads)) * threads  # equally many for each thread
    size = -(-rows // (panels * _LANES)) * _LANES
    run = load_kernels(_SOURCE)["nearest"]

    def among(first: int, last: int) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
        least, index = np.full(len(leading), np.inf, np.float32), np.zeros(len(leading), np.int32)
        scratch = (np.empty(count * size, np.float32) for count in (channels, 1, len(trailing), 1, 1, 1, 1))
        run(
            *(len(leading), len(trailing), start, width, rows, size, first, last),
            *(leading, trailing, half_of, bank, origin, *scratch, np.empty(_LANES, np.float32), least, index),
        )
        return least, index

    bounds = np.linspace(0, -(-rows // size), threads + 1).astype(int).tolist()
    beside = [helpers().submit(among, *some) for some in pairwise(bounds[1:])]
    least, index = among(*bounds[:2])
    for others, theirs in (part.result() for part in beside):
        np.copyto(index, theirs, where=others < least)
        np.minimum(least, others, out=least)
    return index[:queries]


def _filled(rows: NDArray[np.float32], origin: NDArray[np.float32]) -> NDArray[np.float32]:
    """The rows less `origin`, with zeros up to multiples of four rows and four channels."""
    count, width = (-(-length // _TOGETHER) * _TOGETHER for length in rows.shape)
    filled = np.zeros((count, width), np.float32)
    np.subtract(rows, origin, out=filled[: len(rows), : rows.shape[1]])
    return filled
