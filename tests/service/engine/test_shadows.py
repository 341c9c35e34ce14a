from __future__ import annotations

import io
from concurrent.futures import Future
from typing import Any

import pytest

from models.sample import Sample
from service.engine.futures import settle
from service.engine.shadows import Shadowed, Shadows
from service.watch.logs import make_logger


def test_the_oldest_part_is_dropped_from_a_full_queue(detector: Any, sample: Sample) -> None:
    shadows = Shadows(2, make_logger(io.StringIO()))
    parts = [Shadowed(detector, "good") for _ in range(3)]
    for part in parts:
        shadows.add(sample, part)
    assert [part.result.cancelled() for part in parts] == [True, False, False]
    assert shadows.take()[1] is parts[1]
    assert shadows.clear() == [parts[2]]
    assert not shadows


def test_a_dropped_part_is_not_scored(detector: Any, sample: Sample) -> None:
    scored: list[int] = []
    detector.before = lambda: scored.append(1)
    part = Shadowed(detector, "good")
    part.result.cancel()
    Shadows(1, make_logger(io.StringIO())).score(sample, part)
    assert scored == []


def test_a_future_keeps_its_first_outcome() -> None:
    future: Future[int] = Future()
    settle(future, RuntimeError("first"))
    settle(future, 2)
    with pytest.raises(RuntimeError, match="first"):
        future.result(0)
