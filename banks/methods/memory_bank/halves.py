"""Nearest bank rows for queries whose trailing channels repeat: each distinct half is multiplied once.

A fused patch is a point half and an RGB half, and one RGB patch lies behind four point patches. The squared
distance is a sum over both halves. So the product of the RGB halves with the bank, which is most of the work,
is needed once for four queries.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from models.numerics.linear import linear
from models.numerics.process import exact_products

_Numbers = TypeVar("_Numbers", int, NDArray[np.int64])
_WORTH = 0.7
"""The halves are multiplied apart if this takes at most this share of the work of the whole product."""
_SWEEP = 40
"""Multiplications in whose time one number is copied and compared: what the halves cost beside products."""
_TILE = 4096
"""Bank rows that are multiplied at a time, so that the products stay in the processor's cache."""
_CHUNK = 256
"""Queries whose products are compared at a time."""


def repeating_from(queries: NDArray[np.float32]) -> int:
    """The first of the trailing channels that repeat most usefully from query to query; C where none do.

    queries: (n, C) float32, in the order of their places.
    """
    width = queries.shape[1]
    differs = queries[1:] != queries[:-1]
    differs = differs[differs.any(axis=1)]  # whole copies tell nothing about halves
    if not len(differs):
        return width
    boundary = width - np.argmax(differs[:, ::-1], axis=1)  # from here on, a query equals the one before
    changes = len(differs) - np.cumsum(np.bincount(boundary, minlength=width + 1))
    work = _work(len(differs), changes, width, np.arange(width + 1))
    return width - int(np.argmin(work[::-1]))


def worth_it(queries: int, distinct: int, width: int, start: int) -> bool:
    """Whether the halves are multiplied faster apart.

    queries: number of queries, of which `distinct` differ in the channels from `start` to `width`.
    """
    return start < width and _work(queries, distinct, width, start) <= _WORTH * queries * width


def _work(queries: int, distinct: _Numbers, width: int, start: _Numbers) -> _Numbers:
    """Multiplications for each row of the bank."""
    return distinct * (width - start) + queries * (start + _SWEEP)


def nearest_by_halves(
    queries: NDArray[np.float32],
    bank: NDArray[np.float32],
    norms: torch.Tensor,
    start: int,
    first: NDArray[np.int64],
    inverse: NDArray[np.int64],
) -> NDArray[np.int64]:
    """The nearest bank row of each query, (n,) int64, by the expanded square as FAISS computes it.

    Args:
        queries: (n, C) float32.
        bank: (R, C) float32.
        norms: (R,) float32, squared norms of the bank's rows.
        start: the first channel of the repeating half.
        first, inverse: of the distinct repeating halves, as `numpy.unique` returns them.
    """
    order = np.argsort(inverse, kind="stable")
    leading = torch.from_numpy(-2 * queries[order, :start])
    halves = torch.from_numpy(-2 * queries[first, start:])
    half_of = torch.from_numpy(inverse[order])
    rows = torch.from_numpy(bank)
    ids, least = np.zeros(len(queries), np.int64), np.full(len(queries), np.inf, np.float32)
    with exact_products(), torch.autocast("cpu", enabled=False):
        for low in range(0, len(bank), _TILE):
            tile = rows[low : low + _TILE]
            lead = tile[:, :start].contiguous()
            shared = linear(halves, tile[:, start:], norms[low : low + _TILE])
            for at in range(0, len(queries), _CHUNK):
                chunk = slice(at, at + _CHUNK)
                values = linear(leading[chunk], lead).add_(shared[half_of[chunk]]).numpy()
                found = values.argmin(axis=1)
                value = values[np.arange(len(found)), found]
                nearer = value < least[chunk]
                ids[chunk][nearer] = low + found[nearer]
                least[chunk][nearer] = value[nearer]
    answer = np.empty_like(ids)
    answer[order] = ids
    return answer
