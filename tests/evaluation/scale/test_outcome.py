from __future__ import annotations

import pytest

from evaluation.scale.outcome import Durations, Outcome


def test_durations_are_those_that_shares_of_the_parts_do_not_exceed() -> None:
    found = Durations.of([float(number) for number in range(100, -1, -1)])
    assert found == Durations(50.0, 50.0, 90.0, 99.0, 100.0)
    assert Durations.of([]) == Durations(0.0, 0.0, 0.0, 0.0, 0.0)


def test_shares_are_of_the_right_parts() -> None:
    none = Durations.of([])
    outcome = Outcome(120.0, 200, 150, 40, 10, 0, 16, 0.5, none, none, 6, 1.0, 2.0, 3.0)
    assert outcome.answered_per_s == 1.25
    assert outcome.refused_share == 0.2
    assert outcome.late_share == 0.1
    assert outcome.missed_share == pytest.approx(0.28)
    assert outcome.loads_per_minute == 3.0
    nothing = Outcome(1.0, 0, 0, 0, 0, 0, 0, 0.0, none, none, 0, 0.0, 0.0, 0.0)
    assert (nothing.refused_share, nothing.late_share, nothing.missed_share) == (0.0, 0.0, 0.0)
