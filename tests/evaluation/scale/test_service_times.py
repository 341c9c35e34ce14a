from __future__ import annotations

import json
from pathlib import Path
from statistics import fmean, stdev

import pytest

from evaluation.scale.draws import stream
from evaluation.scale.service_times import KEY, BadTimes, Measured, Spread


def test_measured_times_are_drawn_as_often_as_they_were_measured(tmp_path: Path) -> None:
    one, other = tmp_path / "one.json", tmp_path / "other.json"
    one.write_text(json.dumps({KEY: [100.0, 100.0]}))
    other.write_text(json.dumps({KEY: [100.0, 500.0]}))
    times = Measured.read(one, other)
    assert times.mean_s == pytest.approx(0.2)
    draw = stream("test", 0)
    drawn = [times.draw(draw) for _ in range(4000)]
    assert set(drawn) == {0.1, 0.5}
    assert drawn.count(0.5) == pytest.approx(1000, rel=0.1)


@pytest.mark.parametrize("spread", [0.0, 0.1, 0.4, 0.8])
def test_a_spread_has_its_mean_and_deviation(spread: float) -> None:
    draw = stream("test", 0)
    drawn = [Spread(0.4, spread).draw(draw) for _ in range(20_000)]
    assert min(drawn) > 0
    assert (fmean(drawn), stdev(drawn)) == (pytest.approx(0.4, rel=0.03), pytest.approx(spread, rel=0.05))


@pytest.mark.parametrize(
    "written", ["{}", "[1]", "no json", f'{{"{KEY}": 3}}', f'{{"{KEY}": []}}', f'{{"{KEY}": [1, -1]}}']
)
def test_a_file_without_times_is_refused(written: str, tmp_path: Path) -> None:
    report = tmp_path / "bench.json"
    report.write_text(written)
    with pytest.raises(BadTimes):
        Measured.read(report)


@pytest.mark.parametrize(("mean", "spread"), [(0.0, 0.0), (-1.0, 0.0), (1.0, -0.1), (float("nan"), 0.0)])
def test_a_spread_that_cannot_be_is_refused(mean: float, spread: float) -> None:
    with pytest.raises(BadTimes):
        Spread(mean, spread)
