from __future__ import annotations

from dataclasses import replace
from itertools import groupby, pairwise
from statistics import fmean, stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.scale.load import BadLoad, Load

HOUR = 3600.0


@given(
    lines=st.integers(1, 20),
    products=st.integers(1, 60),
    tray=st.integers(1, 5),
    pace=st.sampled_from(("even", "random")),
    run_minutes=st.sampled_from((0.0, 5.0, 60.0)),
)
def test_parts_come_in_order_in_whole_trays_and_at_the_rate(lines, products, tray, pace, run_minutes) -> None:
    load = Load(lines, products, 6.0, tray, pace, run_minutes)
    parts = list(load.arrivals(HOUR, seed=0))
    assert parts == list(load.arrivals(HOUR, seed=0))
    assert all(0 <= one.second <= other.second for one, other in pairwise(parts))
    assert {part.product for part in parts} <= set(range(products))
    assert load.begins_with(0) <= set(range(products))
    assert len(parts) % tray == 0
    expected = load.parts_per_s * HOUR
    allowed = lines * tray if pace == "even" else 5 * (expected * tray) ** 0.5
    assert abs(len(parts) - expected) <= allowed


def test_another_seed_has_other_parts() -> None:
    assert list(Load().arrivals(HOUR, seed=0)) != list(Load().arrivals(HOUR, seed=1))


def test_a_line_makes_one_product_for_a_run_then_its_next_one() -> None:
    load = Load(lines=1, products=3, parts_per_minute=60.0, run_minutes=10.0)
    runs = [
        (product, len(list(run))) for product, run in groupby(load.arrivals(HOUR, 0), lambda p: p.product)
    ]
    assert [count for _, count in runs[1:-1]] == pytest.approx([600] * 5, abs=1)
    assert all(other == (one + 1) % 3 for (one, _), (other, _) in pairwise(runs))
    assert load.begins_with(0) == {runs[0][0]}


def test_products_are_dealt_out_to_lines_and_shared_where_they_are_few() -> None:
    mixed = Load(lines=2, products=6, run_minutes=0.0)
    assert {part.product for part in mixed.arrivals(HOUR, 0)} == set(range(6))
    assert mixed.begins_with(0) == set()
    shared = Load(lines=6, products=2, parts_per_minute=1.0)
    products = [part.product for part in shared.arrivals(HOUR, 0)]
    assert products.count(0) == pytest.approx(products.count(1), abs=6)


def test_random_trays_are_as_irregular_as_chance_and_even_trays_are_not() -> None:
    line = Load(lines=1, products=1, parts_per_minute=60.0)
    for load, irregular in ((replace(line, pace="random"), 1.0), (line, 0.0)):
        gaps = [two.second - one.second for one, two in pairwise(load.arrivals(5 * HOUR, 0))]
        assert stdev(gaps) / fmean(gaps) == pytest.approx(irregular, abs=0.03)


def test_products_have_the_asked_sizes() -> None:
    sizes = Load(products=5000, product_mb=80.0, product_spread_mb=20.0).sizes_mb(0)
    assert (fmean(sizes), stdev(sizes)) == (pytest.approx(80.0, rel=0.02), pytest.approx(20.0, rel=0.05))
    assert set(Load(product_mb=80.0).sizes_mb(0)) == {80.0}


@pytest.mark.parametrize(
    "wrong",
    [
        {"lines": 0},
        {"products": -1},
        {"parts_per_minute": 0.0},
        {"parts_per_minute": float("nan")},
        {"tray": 0},
        {"run_minutes": -1.0},
        {"product_mb": 0.0},
        {"product_spread_mb": -1.0},
        {"part_mb": -1.0},
    ],
    ids=str,
)
def test_a_load_that_cannot_be_names_its_number(wrong) -> None:
    with pytest.raises(BadLoad, match=next(iter(wrong))):
        Load(**wrong)
