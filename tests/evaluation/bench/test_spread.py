from __future__ import annotations

import pytest

from evaluation.bench.spread import spread


def test_a_median_is_between_two_times() -> None:
    assert spread([1.0, 3.0]) == {"p50": 2.0, "p90": pytest.approx(2.8), "max": 3.0}
