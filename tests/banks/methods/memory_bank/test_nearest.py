"""The machine code names the rows that FAISS names, also for queries whose trailing channels repeat."""

from __future__ import annotations

import faiss
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from banks.methods.memory_bank import nearest, nearest_kernels
from banks.methods.memory_bank.nearest import Halves, nearest_ids
from banks.methods.memory_bank.search import HostSearch
from tests.banks.methods.memory_bank.fused_queries import POINT, RGB, drawn, fused


def halves(queries: NDArray[np.float32], start: int) -> Halves:
    """The distinct channels from `start` on."""
    if start == queries.shape[1]:
        return Halves(start, np.zeros(1, np.int64), np.zeros(len(queries), np.int64))
    _, first, of = np.unique(queries[:, start:], axis=0, return_index=True, return_inverse=True)
    return Halves(start, first, of.reshape(-1))


@pytest.mark.parametrize("rows", [300, 5000])
def test_the_same_rows_as_faiss(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """300 rows are a panel and a part of one."""
    bank, queries = drawn(rows, POINT + RGB, 3), fused(40, empty=400)
    index = faiss.IndexFlatL2(POINT + RGB)
    index.add(bank)
    expected = index.search(queries, 1)[1][:, 0]
    seen: list[tuple[int, int, int]] = []
    real = nearest.nearest_ids

    def noted(given: NDArray[np.float32], by: Halves, rows: NDArray[np.float32]) -> NDArray[np.int64]:
        seen.append((len(given), by.start, len(by.first)))
        return real(given, by, rows)

    monkeypatch.setattr("banks.methods.memory_bank.search.nearest_ids", noted)
    distances, ids = HostSearch(index, bank).nearest(queries)
    assert seen == [(1200 + 100, POINT, 400)], "the empty point halves repeat with their RGB halves"
    np.testing.assert_array_equal(ids, expected)
    np.testing.assert_allclose(distances, np.linalg.norm(queries - bank[ids], axis=1), rtol=1e-5)


@settings(max_examples=60, deadline=None)
@given(
    count=st.integers(1, 40),
    width=st.integers(1, 30),
    rows=st.integers(1, 600),
    share=st.floats(0, 1),
    repeats=st.integers(1, 5),
    threads=st.integers(1, 3),
    seed=st.integers(0, 99),
)
def test_any_shape_any_halves_any_threads(
    count: int, width: int, rows: int, share: float, repeats: int, threads: int, seed: int
) -> None:
    draw = np.random.default_rng(seed)
    bank = draw.integers(-4, 5, (rows, width)).astype(np.float32)
    queries = draw.integers(-4, 5, (count, width)).astype(np.float32)
    start = round(share * width)
    queries[:, start:] = queries[np.arange(count) // repeats * repeats, start:]
    squares = np.square(queries[:, None] - bank[None]).sum(axis=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nearest, "threads_in_use", lambda: threads)
        patch.setattr(nearest, "_SMALL", 0)
        found = nearest_ids(queries, halves(queries, start), bank)
    np.testing.assert_array_equal(squares[np.arange(count), found], squares.min(axis=1))
    copies = (bank[found][:, None] == bank[None]).all(axis=2)
    np.testing.assert_array_equal(found, copies.argmax(axis=1), "of copies the first counts")


def test_a_far_origin_costs_no_precision() -> None:
    """Lengths of 1e4 and distances of 10: |b|^2 - 2 qb in float32 would be wrong by up to 100."""
    bank, queries = drawn(3000, 100, 11), drawn(200, 100, 12)
    squares = np.square(queries[:, None].astype(np.float64) - bank[None]).sum(axis=2)
    found = nearest_ids(queries + np.float32(1000), halves(queries, 100), bank + np.float32(1000))
    chosen = squares[np.arange(len(queries)), found]
    assert (chosen <= squares.min(axis=1) * (1 + 1e-3)).all()


@pytest.mark.parametrize("width", [33, 600, 1536, 5000])
def test_wide_rows_are_compared_in_smaller_panels(width: int) -> None:
    bank, queries = drawn(200, width, 5), drawn(9, width, 6)
    squares = np.square(queries[:, None].astype(np.float64) - bank[None]).sum(axis=2)
    np.testing.assert_array_equal(nearest_ids(queries, halves(queries, width), bank), squares.argmin(axis=1))


def test_what_is_not_a_number_names_a_row_of_the_bank() -> None:
    bank, queries = drawn(40, 8, 7), drawn(6, 8, 8)
    queries[0], queries[1, 3], queries[2] = np.nan, np.inf, -np.inf
    found = nearest_ids(queries, halves(queries, 8), bank)
    assert ((found >= 0) & (found < len(bank))).all()
    np.testing.assert_array_equal(found[3:], nearest_ids(queries[3:], halves(queries[3:], 8), bank))


def test_a_query_s_row_does_not_depend_on_the_others() -> None:
    bank, queries = drawn(700, 70, 9), drawn(50, 70, 10)
    together = nearest_ids(queries, halves(queries, 70), bank)
    alone = [nearest_ids(query[None], halves(query[None], 70), bank)[0] for query in queries]
    np.testing.assert_array_equal(together, alone)


def test_arrays_are_as_long_as_the_machine_code_takes_them() -> None:
    """The sources of machine code need numba, so a host cannot import their numbers."""
    assert (nearest._LANES, nearest._TOGETHER) == (nearest_kernels.LANES, nearest_kernels._TOGETHER)
