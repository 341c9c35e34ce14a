"""Queries whose trailing channels repeat find the same rows as in FAISS, with fewer multiplications."""

from __future__ import annotations

import faiss
import numpy as np
import pytest

from banks.methods.memory_bank import halves, search
from banks.methods.memory_bank.halves import repeating_from, worth_it
from banks.methods.memory_bank.search import HostSearch
from tests.banks.methods.memory_bank.fused_queries import POINT, RGB, drawn, fused

WIDE = 600
"""So many that the bank is not searched by `nearest.py`."""


@pytest.mark.parametrize("rows", [300, 5000])
def test_the_same_rows_as_faiss(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """300 rows are part of a tile, 5000 a tile and a part of one."""
    bank, queries = drawn(rows, POINT + WIDE, 3), fused(40, empty=400, rgb=WIDE)
    index = faiss.IndexFlatL2(POINT + WIDE)
    index.add(bank)
    expected = index.search(queries, 1)[1][:, 0]
    calls: list[int] = []
    real = halves.nearest_by_halves
    monkeypatch.setattr(
        search, "nearest_by_halves", lambda *given: calls.append(len(given[0])) or real(*given)
    )
    distances, ids = HostSearch(index, bank).nearest(queries)
    assert calls == [1200 + 100], "the empty point halves repeat with their RGB halves"
    np.testing.assert_array_equal(ids, expected)
    np.testing.assert_allclose(distances, np.linalg.norm(queries - bank[ids], axis=1), rtol=1e-5)


def test_the_boundary_between_the_halves_is_found() -> None:
    assert repeating_from(fused(20, empty=100)) == POINT
    assert repeating_from(drawn(50, 12, 4)) == 12, "nothing repeats"
    assert repeating_from(np.repeat(drawn(10, 12, 4), 5, axis=0)) == 12, "whole copies are no halves"
    assert repeating_from(drawn(1, 12, 4)) == 12


def test_few_repetitions_are_not_worth_it() -> None:
    assert worth_it(2000, 800, POINT + RGB, POINT)
    assert not worth_it(2000, 1900, POINT + RGB, POINT)
    assert not worth_it(2000, 500, 40, POINT), "comparing costs as much as the multiplications"
