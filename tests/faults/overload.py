"""Ten times the parts that can be scored, whether earlier ones are answered or not."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path

from evaluation.bench.serve import load, station
from tests.faults.bench import Bench
from tests.faults.case import Case, Outcome
from tests.faults.scene import PRODUCT

FACTOR = 10.0
EXPECTED = {"200", "429", "503", "504"}


def run(bench: Bench, numbers: Sequence[int]) -> Iterator[Outcome]:
    """A second a number (half a second where it is quick), by the load of `tribank bench-serve`."""
    place = bench.fresh("overload.part")
    files: dict[str, Path] = {}
    for name, content in bench.scene.form.items():
        files[name] = place / name
        files[name].write_bytes(content)
    with bench.serving("overload") as served:
        there = station(served.url, PRODUCT, files["rgb"], files["xyz"], "")
        told = asyncio.run(load(there, len(numbers) * (0.5 if bench.quick else 1.0), FACTOR))
    statuses = told["statuses"]
    assert isinstance(statuses, dict)
    good = set(statuses) <= EXPECTED and told["refused_with_retry_after"] == statuses.get("429", 0)
    for number in numbers:
        yield Outcome(number, "seconds under load", good, str(statuses))
    yield Outcome(None, "answers:", good, ", ".join(f"{n} x {status}" for status, n in statuses.items()))
    for name in ("capacity_per_s", "accepted_per_s", "accepted_p99_ms", "refused_p99_ms", "unsent"):
        value = told[name]
        assert isinstance(value, int | float | None)
        yield Outcome(None, f"{name}:", True, "none" if value is None else f"{value:.4g}")


CASE = Case("overload", "seconds of ten times the capacity, an open loop", 60, run, "R8")
