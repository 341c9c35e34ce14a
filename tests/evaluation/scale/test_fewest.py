from __future__ import annotations

from dataclasses import replace

import pytest

from evaluation.scale.fewest import TooFewDevices, fewest, least
from evaluation.scale.fleet import Fleet
from evaluation.scale.load import Load
from evaluation.scale.outcome import Durations, Outcome
from evaluation.scale.service_times import Spread

_NONE = Durations.of([])
_GOOD = Outcome(1.0, 1000, 1000, 0, 0, 0, 10, 0.5, _NONE, _NONE, 0, 0.0, 0.0, 0.0)
_BAD = replace(_GOOD, late=11)


@pytest.mark.parametrize("needed", [1, 2, 3, 7, 64, 100])
@pytest.mark.parametrize("start", [1, 3])
def test_the_fewest_devices_are_found(needed: int, start: int) -> None:
    tried: list[int] = []

    def simulated(devices: int) -> Outcome:
        tried.append(devices)
        return _GOOD if devices >= needed else _BAD

    assert fewest(start, simulated) == max(start, needed)
    assert len(tried) <= 16


def test_a_load_that_no_number_of_devices_can_answer_is_told() -> None:
    with pytest.raises(TooFewDevices):
        fewest(1, lambda _: _BAD)


def test_the_least_number_is_what_the_load_keeps_busy() -> None:
    load = Load(lines=10, products=10, parts_per_minute=30.0)
    assert least(load, Fleet(1), Spread(0.5)) == 3
    assert least(load, Fleet(1, at_once=2), Spread(0.5)) == 2
    assert least(load, Fleet(4, copies=4), Spread(0.5)) == 4
