"""The system's clock jumps, by libfaketime (Debian: libfaketime)."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx

from tests.faults.bench import SCORE, Bench, ended, served_by
from tests.faults.case import Case, Outcome
from tests.faults.scene import PRODUCT, VERSIONS
from tests.faults.warm import Real

LIBRARIES = ("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1", "/usr/lib/faketime/libfaketime.so.1")
JUMPS = ("+1h", "-1h", "+1d", "-1d", "+400d", "-400d", "+10y", "-10y", "+0")
PARTS = 2  # after each jump


def run(bench: Bench, numbers: Sequence[int]) -> Iterator[Outcome]:
    """A jump a number; parts, the record, the metrics and an activation after each."""
    library = next((path for path in LIBRARIES if Path(path).exists()), None)
    if library is None:
        yield Outcome(None, "not run:", True, "libfaketime is not here (apt-get install libfaketime)")
        return
    offset = bench.fresh("clock") / "offset"
    offset.write_text("+0")
    environment = {
        "LD_PRELOAD": library,
        "FAKETIME_TIMESTAMP_FILE": str(offset),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "OMP_NUM_THREADS": "1",
        "TRIBANK_RESULTS_DAYS": "30",
    }
    options = ["serve", "--port", "0", "--device", "cpu", "--banks", str(bench.banks("clock.banks"))]
    options += ["--state", str(bench.fresh("clock.state"))]
    said = bench.folder / "clock.log"
    said.unlink(missing_ok=True)
    command = Real(options, said, environment)
    try:
        served = served_by(command)
        with served.client() as client:
            for number in numbers:
                fresh = offset.with_name("fresh")
                fresh.write_text(JUMPS[number % len(JUMPS)])
                os.replace(fresh, offset)
                faults = list(_faults(bench, client, number))
                what = f"{JUMPS[number % len(JUMPS)]}: {'; '.join(faults)}"
                yield Outcome(number, "; ".join(faults) or "all answered", not faults, what)
    finally:
        ended(command)


def _faults(bench: Bench, client: httpx.Client, number: int) -> Iterator[str]:
    """What does not work."""
    version = VERSIONS[number % 2]
    made = ""
    for _ in range(PARTS):
        answer = client.post(SCORE, files=bench.scene.form)
        if answer.status_code != 200:
            yield f"a part got {answer.status_code}"
            continue
        told = answer.json()
        made = told["result_id"]
        if told["score"] != bench.scene.scores[told["bank_version"]]:
            yield "another score"
    asked = {
        "readiness": client.get("/readyz"),
        "metrics": client.get("/metrics"),
        "the record": client.get("/v1/results"),
        "the result": client.get(f"/v1/results/{made}"),
        "activation": client.post(f"/v1/products/{PRODUCT}/versions/{version}/activate"),
    }
    yield from (f"{name} {answer.status_code}" for name, answer in asked.items() if answer.status_code != 200)


CASE = Case("clock", "jumps of the clock by an hour, a day, 400 days and 10 years, both ways", 36, run, "R20")
