"""Drift: the distance is the textbook's, and defective parts are none of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import ks_2samp

from banks.decision.calibration import Calibration
from banks.decision.drift import LEAST, WINDOW, RecentScores, compare


def _calibration(scores: np.ndarray) -> Calibration:
    ordered = tuple(sorted(scores.tolist()))
    return Calibration(2.0, "counted", 0.01, ordered, ordered, 1.0, (0.0, 1.0))


@pytest.mark.parametrize("shift", [0.0, 0.1, 0.7])
def test_distance_and_p_value_are_those_of_scipy(shift: float) -> None:
    draw = np.random.default_rng(3)
    recent, held_out = draw.normal(shift, 1, 180).round(1), draw.normal(0, 1, 60).round(1)  # with ties
    drift = compare(recent.tolist(), held_out.tolist())
    other: Any = ks_2samp(recent, held_out, method="asymp")
    assert drift.distance == pytest.approx(other.statistic, abs=1e-12)
    assert drift.p_value == pytest.approx(other.pvalue, abs=0.05)
    assert drift.parts == 180


def test_a_line_that_goes_on_as_before_does_not_drift_and_one_that_changes_does() -> None:
    draw = np.random.default_rng(0)
    recent = RecentScores(_calibration(draw.normal(1, 0.3, 60)))
    for score in draw.normal(1, 0.3, LEAST - 1):
        recent.add(score)
    assert recent.drift() is None
    for score in draw.normal(1, 0.3, 500):
        recent.add(score)
    calm = recent.drift()
    assert calm is not None
    assert (calm.parts, calm.p_value > 0.01) == (WINDOW, True)
    for score in draw.normal(9, 1, 100):  # defects
        recent.add(score)
    assert recent.drift() == calm
    for score in draw.normal(1.4, 0.2, WINDOW):
        recent.add(score)
    moved = recent.drift()
    assert moved is not None
    assert moved.distance > 0.4
    assert moved.p_value < 1e-4
