"""Versions are activated in turn, one a second (three where it is quick), while clients send parts."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.faults.bench import SCORE, Bench, Served
from tests.faults.case import Case, Outcome
from tests.faults.scene import PRODUCT, VERSIONS

CLIENTS = 4
EVERY_S = 1.0
QUICK_S = 0.3
MOST_GROWTH = 0.05
SETTLED = 20  # reloads before the memory is looked at


def run(bench: Bench, numbers: Sequence[int]) -> Iterator[Outcome]:
    """An activation a number; every answer must be exactly that of one version."""
    over, answers = threading.Event(), list[tuple[int, str, float | None]]()
    every_s = QUICK_S if bench.quick else EVERY_S
    with (
        bench.serving(
            "reloads", max_in_flight=2 * CLIENTS, max_uploads=4 * CLIENTS, deadline_s=120
        ) as served,
        ThreadPoolExecutor(CLIENTS) as pool,
    ):
        clients = [pool.submit(_send, bench, served, over, answers) for _ in range(CLIENTS)]
        memory, checked = [served.memory_mb()], 0
        try:
            with served.client() as client:
                for number in numbers:
                    due = time.monotonic() + every_s
                    version = VERSIONS[1 - number % 2]
                    answer = client.post(f"/v1/products/{PRODUCT}/versions/{version}/activate")
                    time.sleep(max(0.0, due - time.monotonic()))
                    memory.append(served.memory_mb())
                    new, checked = answers[checked:], len(answers)
                    faults = {fault for found in new if (fault := _fault(bench, found))}
                    if answer.status_code != 200:
                        faults.add(f"activation {answer.status_code}")
                    yield Outcome(number, "; ".join(sorted(faults)) or "activated", not faults, version)
        finally:
            over.set()
        for sender in clients:
            sender.result(200)
    faults = {fault for found in answers[checked:] if (fault := _fault(bench, found))}
    told = f"{len(answers)}, each exactly one version's" if not faults else "; ".join(sorted(faults))
    yield Outcome(None, "answers meanwhile:", not faults and bool(answers), told)
    before = memory[min(SETTLED, len(memory) // 2)]
    growth = memory[-1] / before - 1
    yield Outcome(None, "memory grew by", growth < MOST_GROWTH, f"{100 * growth:.1f} % of {before:.0f} MB")


def _fault(bench: Bench, found: tuple[int, str, float | None]) -> str | None:
    status, version, score = found
    if status != 200:
        return f"a part got {status}"
    return None if bench.scene.scores.get(version) == score else f"{version} with another score"


def _send(
    bench: Bench, served: Served, over: threading.Event, answers: list[tuple[int, str, float | None]]
) -> None:
    with served.client() as client:
        while not over.is_set():
            try:
                answer = client.post(SCORE, files=bench.scene.form)
            except httpx.TransportError as error:
                answers.append((0, type(error).__name__, None))
                continue
            told = answer.json()
            answers.append((answer.status_code, told.get("bank_version", ""), told.get("score")))


CASE = Case("reloads", "activations, one a second, under 4 clients that send without a pause", 120, run, "R4")
