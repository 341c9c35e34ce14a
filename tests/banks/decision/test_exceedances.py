"""The tail of good parts' scores, against distributions whose tails are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from banks.decision.exceedances import Exceedances

TAILS = {
    "normal": stats.norm(5, 1),
    "gumbel": stats.gumbel_r(3, 1),
    "exponential": stats.expon(),
    "log-normal": stats.lognorm(0.5),
}


@pytest.mark.parametrize("name", TAILS)
@pytest.mark.parametrize(("count", "most"), [(10, 1.9), (50, 1.5), (200, 1.3)])
def test_further_parts_exceed_the_limit_about_as_often_as_asked(name: str, count: int, most: float) -> None:
    draw = np.random.default_rng(count)
    limits = [
        Exceedances.fit(np.sort(TAILS[name].rvs(count, random_state=draw))).limit(0.01) for _ in range(80)
    ]
    assert 0.01 < 100 * TAILS[name].sf(limits).mean() < most


def test_limit_and_survival_are_inverse() -> None:
    tail = Exceedances.fit(np.sort(np.random.default_rng(0).gumbel(10, 1, 40)))
    for rate in (0.2, 0.05, 0.01, 0.001):
        assert tail.survival(tail.limit(rate)) == pytest.approx(rate)
    assert tail.survival(tail.start) == tail.survival(tail.start - 5) == pytest.approx(tail.share)


def test_trimmed_values_do_not_count_and_their_number_does() -> None:
    scores = np.sort(np.random.default_rng(1).exponential(1, 60))
    far = scores.copy()
    far[-5:] += 1000
    assert Exceedances.fit(far, 5).limit(0.01) == Exceedances.fit(scores, 5).limit(0.01)
    assert Exceedances.fit(scores[:-5]).limit(0.01) < Exceedances.fit(scores, 5).limit(0.01)
    assert Exceedances.fit(far).limit(0.01) > 100


@pytest.mark.parametrize("scores", [[2.0], [2.0, 2.0], [0.0, 0.0, 0.0], [1e-9, 1e6], [-3.0, -1.0]])
def test_a_few_scores_give_a_finite_limit(scores: list[float]) -> None:
    limit = Exceedances.fit(scores).limit(0.01)
    assert math.isfinite(limit)
    assert limit > scores[0]


def test_nonsense_is_refused() -> None:
    for scores, trimmed in (([], 0), ([1.0], 1), ([1.0, math.nan], 0)):
        with pytest.raises(ValueError, match="score"):
            Exceedances.fit(scores, trimmed)
