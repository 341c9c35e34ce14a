"""A steady load for long: nothing grows."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from tests.faults.bench import SCORE, Bench
from tests.faults.case import Case, Outcome

MINUTE_S = 60.0
PAUSE_S = 1.0
SETTLED = 5
"""Minutes that do not count: caches fill."""
MOST_MB = 32.0


def run(bench: Bench, numbers: Sequence[int]) -> Iterator[Outcome]:
    """A minute a number (a second where it is quick), a part a second; then the slope of the memory."""
    memory, files, threads = list[float](), list[int](), list[int]()
    minute_s = 1.0 if bench.quick else MINUTE_S
    with bench.serving("steady") as served, served.client() as client:
        for number in numbers:
            statuses, end = Counter[int](), time.monotonic() + minute_s
            while time.monotonic() < end:
                statuses[client.post(SCORE, files=bench.scene.form).status_code] += 1
                time.sleep(0.1 if bench.quick else PAUSE_S)
            memory.append(served.memory_mb())
            files.append(served.open_files())
            threads.append(served.threads())
            good = set(statuses) == {200}
            yield Outcome(number, "minutes of 200 only" if good else "minutes", good, str(dict(statuses)))
    from_ = min(SETTLED, len(memory) // 2)
    settled = memory[from_:]
    grown = settled[-1] - settled[0]
    slope = np.polyfit(np.arange(len(settled)), settled, 1)[0] * 60 if len(settled) > 1 else 0.0
    figure = f"{slope:+.1f} MB an hour ({settled[0]:.0f} to {settled[-1]:.0f} MB)"
    yield Outcome(None, "memory", grown < MOST_MB, figure)
    yield Outcome(None, "open files", files[-1] <= max(files[: from_ + 1]) + 4, f"{files[0]} to {files[-1]}")
    yield Outcome(
        None, "threads", threads[-1] <= max(threads[: from_ + 1]) + 2, f"{threads[0]} to {threads[-1]}"
    )


CASE = Case("steady", "minutes of one part a second", 30, run, "R10")
