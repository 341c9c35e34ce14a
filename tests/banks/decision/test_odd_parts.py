"""Odd parts: how often clean parts are called odd, and which others are found."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from banks.decision.odd_parts import FALSE_ALARM, highest, odd_ones

CLEAN = {
    "normal": stats.norm(5, 1),
    "gumbel": stats.gumbel_r(3, 1),
    "log-normal": stats.lognorm(0.5),
}


@pytest.mark.parametrize("name", CLEAN)
@pytest.mark.parametrize("count", [10, 20, 50, 100, 200])
def test_clean_parts_are_hardly_ever_called_odd(name: str, count: int) -> None:
    draw = np.random.default_rng(count)
    alarms = sum(bool(odd_ones(CLEAN[name].rvs(count, random_state=draw).tolist())) for _ in range(60))
    assert alarms <= stats.binom(60, FALSE_ALARM).ppf(0.999)


@pytest.mark.parametrize(("count", "odd"), [(20, 1), (50, 2), (50, 5), (200, 20)])
def test_parts_far_outside_are_found_however_many_hide_each_other(count: int, odd: int) -> None:
    draw = np.random.default_rng(odd)
    scores = draw.gumbel(2, 1, count)
    places = draw.choice(count, odd, replace=False)
    scores[places] = draw.uniform(25, 60, odd)
    found = odd_ones(scores.tolist())
    assert sorted(found) == sorted(places)
    assert found == sorted(found, key=lambda place: -scores[place])


def test_the_housing_of_seed_0() -> None:
    """Two odd good parts set the threshold of this demo product to 21.5; all others score below 7.1."""
    others = np.random.default_rng(0).gamma(2, 1, 48).clip(0, 7.1)
    assert odd_ones([*others, 18.1, 21.5]) == [49, 48]


def test_few_parts_and_equal_parts_have_no_odd_one() -> None:
    assert odd_ones([1.0, 1.0, 1.0, 900.0]) == highest([1.0] * 4) == []
    assert odd_ones([2.0] * 30) == []
    assert odd_ones([0.0] * 30) == []
