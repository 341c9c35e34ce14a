"""Thresholds: conformal where the parts suffice, openly extrapolated where not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from banks.decision.calibration import Calibration, calibrate, share_interval, upper_limit

finite = st.floats(-1e6, 1e6)


def calibrated(count: int, rate: float = 0.01) -> Calibration:
    draw = np.random.default_rng(count)
    maps = draw.gamma(4, 1, (count, 8, 8)).astype(np.float32)
    return calibrate(draw.gumbel(10, 1, count), maps, np.ones(maps.shape, bool), rate)


def test_enough_parts_are_counted() -> None:
    found = calibrated(42, 0.05)
    assert found.basis == "counted"
    assert found.rejected == 1
    assert found.statement == (
        "rejects 1 of 42 held-out good parts; with 95 % confidence at most 11 % of good parts (90 % interval "
        "0.12 to 11 %)"
    )
    assert found.threshold == found.scores[40]


def test_ninety_nine_parts_are_just_enough_for_one_percent() -> None:
    assert calibrated(99).basis == "counted"
    assert calibrated(98).basis == "extrapolated"


@pytest.mark.parametrize("count", [1, 2, 5, 10, 42])
def test_too_few_parts_say_so(count: int) -> None:
    found = calibrated(count)
    assert found.basis == "extrapolated"
    assert found.rejected <= 1
    assert found.threshold > found.scores[-2 if count > 1 else -1]
    assert "too few to count a rate of 0.01" in found.statement


def test_each_part_is_judged_by_the_threshold_of_the_others() -> None:
    scores = (*np.linspace(1, 2, 20), 9.0)
    maps = np.zeros((21, 2, 2), np.float32)
    found = calibrate(scores, maps, np.ones(maps.shape, bool))
    assert found.scores[-1] > upper_limit(found.scores[:-1], 0.01)[0]
    assert found.rejected == 1
    by_hand = sum(
        score > upper_limit(scores[:place] + scores[place + 1 :], 0.01)[0]
        for place, score in enumerate(scores)
    )
    assert found.rejected == by_hand


@pytest.mark.parametrize(
    ("count", "total", "low", "high"),
    [(0, 50, 0.0, 1 - 0.05 ** (1 / 50)), (1, 1, 0.05, 1.0), (1, 42, 0.00122, 0.108)],
)
def test_what_follows_from_the_number_of_parts(count: int, total: int, low: float, high: float) -> None:
    """Clopper and Pearson; 0 of 50: with 95 % confidence at most 5.8 %."""
    assert share_interval(count, total) == pytest.approx((low, high), rel=5e-3)


def test_the_interval_of_a_counted_threshold_holds_for_any_distribution() -> None:
    """The share above the 119th of 120 parts: uniform scores tell it for all distributions."""
    draw = np.random.default_rng(0)
    limits = np.sort(draw.random((4000, 120)), axis=1)[:, 118]
    low, high = share_interval(1, 120)
    assert np.mean(1 - limits > high) == pytest.approx(0.05, abs=0.012)
    assert np.mean(1 - limits < low) < 0.05


@settings(max_examples=100, deadline=None)
@given(st.lists(finite, min_size=1, max_size=150), st.floats(0.001, 0.5))
def test_a_limit_is_finite_and_rejects_no_more_than_promised(scores: list[float], rate: float) -> None:
    ordered = sorted(scores)
    limit, basis = upper_limit(ordered, rate)
    assert np.isfinite(limit)
    if basis == "counted":
        assert sum(score > limit for score in ordered) <= rate * (len(ordered) + 1)
    else:
        assert limit >= ordered[len(ordered) // 2 - 1]


def test_rate_is_kept_on_new_parts() -> None:
    draw = np.random.default_rng(0)
    for count in (10, 120):
        limits = [upper_limit(sorted(draw.gumbel(10, 1, count)), 0.02)[0] for _ in range(300)]
        missed = np.mean([(draw.gumbel(10, 1, 200) > limit).mean() for limit in limits])
        assert missed < 0.03


def test_rethresholding_needs_no_rebuild() -> None:
    found = calibrated(42)
    strict, loose = found.rethreshold(0.3), found.rethreshold(0.001)
    assert strict.threshold < found.threshold < loose.threshold
    assert strict.rejected == 11  # the 31st of 42: ceil(43 * 0.7)
    assert strict.pixel_threshold == found.pixel_threshold
    assert found.rethreshold(1 - 1e-12).threshold == found.scores[0]
    by_hand = found.with_threshold(11.5)
    assert (by_hand.basis, by_hand.rate) == ("set", None)
    assert by_hand.rejected == sum(score > 11.5 for score in found.scores)
    assert replace(by_hand.rethreshold(0.01), calibrated=None) == found
    assert by_hand.relative(found.threshold) == found.relative(found.threshold) == 1


def test_colours_are_fixed_and_hold_the_pixel_threshold_in_the_middle() -> None:
    found = calibrated(42)
    low, high = found.colours
    assert low < found.pixel_threshold < high
    assert found.pixel_threshold == pytest.approx((low + high) / 2)
    assert found.pixel_threshold > found.peaks[-3]


def test_constant_parts_still_have_a_scale() -> None:
    maps = np.zeros((3, 4, 4), np.float32)
    found = calibrate([2.0, 2.0, 2.0], maps, np.zeros(maps.shape, bool))
    assert found.threshold > 2
    assert found.colours[0] < found.colours[1]


def test_nonsense_is_refused() -> None:
    maps, valid = np.zeros((2, 4, 4), np.float32), np.ones((2, 4, 4), bool)
    with pytest.raises(ValueError, match="do not match"):
        calibrate([1.0], maps, valid)
    with pytest.raises(ValueError, match="finite"):
        calibrate([1.0, np.nan], maps, valid)
    with pytest.raises(ValueError, match="at least one"):
        upper_limit([], 0.01)
    with pytest.raises(ValueError, match="rate"):
        upper_limit([1.0], 0.0)
    with pytest.raises(ValueError, match="finite"):
        calibrated(4).with_threshold(float("inf"))
