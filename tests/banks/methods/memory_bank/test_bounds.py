"""What bounds prove is what all dimensions say; what they cannot prove they leave."""

from __future__ import annotations

import faiss
import numpy as np
import pytest
from numpy.typing import NDArray

from banks.methods.memory_bank.bounds import Bounds, distances, memory_bytes, pay
from banks.methods.memory_bank.search import HostSearch

Rows = NDArray[np.float32]
WIDTH = 64


def _rows(count: int, seed: int, noise: float) -> Rows:
    """Around eight directions, the same for every seed, with noise in all."""
    directions = np.random.default_rng(0).standard_normal((8, WIDTH))
    draw = np.random.default_rng(seed)
    mixed = draw.standard_normal((count, 8)) @ directions + noise * draw.standard_normal((count, WIDTH))
    return (mixed + 3).astype(np.float32)


def _exact(queries: Rows, rows: Rows) -> NDArray[np.int64]:
    wide = queries.astype(np.float64)[:, None] - rows.astype(np.float64)
    return np.square(wide).sum(axis=2).argmin(axis=1)


def _search(rows: Rows, bounds: Bounds | None) -> HostSearch:
    index = faiss.IndexFlatL2(rows.shape[1])
    index.add(rows)
    search = HostSearch(index, rows)
    vars(search)["_bounds"] = bounds
    return search


@pytest.mark.parametrize("noise", [0.0, 0.05, 0.3])
def test_what_is_proved_is_the_nearest_row(noise: float) -> None:
    rows, queries = _rows(3000, 1, noise), _rows(300, 2, noise)
    ids, proved = Bounds(rows, 12, 8).nearest(queries)
    assert proved.mean() > 0.8
    np.testing.assert_array_equal(ids[proved], _exact(queries, rows)[proved])


def test_a_bound_is_never_farther_than_the_row() -> None:
    rows, queries = _rows(500, 1, 0.5), _rows(40, 2, 0.5)
    bounds = Bounds(rows, 12, 500)
    squares, candidates = bounds._index.search(bounds._lowered(queries), 500)
    exact = np.stack([distances(queries, rows, column) for column in candidates.T], axis=1)
    assert (np.sqrt(squares) <= exact * (1 + 1e-4)).all()
    assert np.sqrt(squares).mean() > 0.5 * exact.mean()


def test_where_all_directions_are_alike_nothing_is_proved_and_all_dimensions_answer() -> None:
    draw = np.random.default_rng(3)
    rows, queries = (draw.standard_normal((count, WIDTH), np.float32) for count in (3000, 200))
    bounds = Bounds(rows, 12, 4)
    assert not bounds.nearest(queries)[1].any()
    np.testing.assert_array_equal(_search(rows, bounds).nearest(queries)[1], _exact(queries, rows))


def test_a_search_with_bounds_answers_as_one_without() -> None:
    """A third of the queries have a large rest, so that their nearest rows cannot be proved."""
    rows, queries = _rows(4000, 1, 0.1), _rows(300, 2, 0.1)
    queries[::3] += np.random.default_rng(4).standard_normal((100, WIDTH), np.float32) * 4
    queries[200:210] = queries[:10]
    bounds = Bounds(rows, 12, 4)
    proved = bounds.nearest(queries)[1]
    assert 0.4 < proved.mean() < 1
    (near, ids), (expected_near, expected) = (_search(rows, of).nearest(queries) for of in (bounds, None))
    np.testing.assert_array_equal(ids, expected)
    np.testing.assert_array_equal(near, expected_near)


def test_rows_that_are_all_alike_are_near() -> None:
    rows = np.ones((100, WIDTH), np.float32)
    near, ids = _search(rows, Bounds(rows, 12, 4)).nearest(rows[:5])
    np.testing.assert_array_equal(near, 0)
    assert (ids >= 0).all()


def test_bagel_s_wide_banks_are_large_and_the_default_s_are_not() -> None:
    assert pay(76_518, 1152)
    assert pay(76_518, 1920)
    assert not pay(19_129, 768)
    assert not pay(400_000, 215)
    assert memory_bytes(76_518, 1920) < 0.15 * 76_518 * 1920 * 4
    assert memory_bytes(19_129, 768) == 0
