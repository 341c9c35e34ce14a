"""A thread of the server ends from inside, as after an error that nobody foresaw."""

from __future__ import annotations

import ctypes
import os
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx

from service.exit_status import EXIT_UNABLE
from tests.faults.bench import SCORE, Bench, Served
from tests.faults.case import Case, Outcome
from tests.faults.scene import PRODUCT, VERSIONS
from tests.waiting import until

WATCHED = "FAULTS_THREADS"
"""Environment name of the folder by which the harness asks."""
OURS = "tribank-"
RECOVERED = 5
"""Parts scored in a row after which the server goes on."""
DEADLINE_S = 5
PATIENCE_S = 60.0


class Ended(BaseException):
    """What ends a thread: no `except Exception` keeps it, and asyncio takes it for no wish to exit."""


def watch() -> None:
    """Runs in the server: tells its threads' names in a file, and ends the one that another file names."""
    folder = Path(os.environ[WATCHED])

    def loop() -> None:
        wanted = folder / "end"
        while not (folder / "over").exists():
            ours = {thread.name: thread for thread in threading.enumerate() if thread.name.startswith(OURS)}
            (folder / "fresh").write_text("\n".join(sorted(ours)))
            (folder / "fresh").replace(folder / "names")
            if wanted.exists() and (thread := ours.get(wanted.read_text())) is not None:
                wanted.unlink()
                number = ctypes.c_ulong(thread.ident or 0)
                ctypes.pythonapi.PyThreadState_SetAsyncExc(number, ctypes.py_object(Ended))
            threading.Event().wait(0.05)

    threading.Thread(target=loop, name="faults", daemon=True).start()


def run(bench: Bench, numbers: Sequence[int]) -> Iterator[Outcome]:
    """One thread a number, in turn, each in a server of its own."""
    for number in numbers:
        folder = bench.fresh("threads.asked")
        asked = {"hook": f"{__name__}:watch", "environment": {WATCHED: str(folder)}}
        with bench.serving("threads", deadline_s=DEADLINE_S, stuck_s=1, **asked) as served:
            yield _ended(bench, served, folder, number)


def _ended(bench: Bench, served: Served, folder: Path, number: int) -> Outcome:
    with served.client() as client:
        for _ in range(3):
            assert _sent(bench, client) == 200
        names = until(lambda: (folder / "names").read_text().split("\n"), "the threads' names")
        name = names[number % len(names)]
        (folder / "wanted").write_text(name)
        (folder / "wanted").replace(folder / "end")
        statuses, in_a_row = list[int](), 0
        end = time.monotonic() + PATIENCE_S
        # A thread that waits for work meets its end at the next piece: parts are sent until it shows.
        while time.monotonic() < end and (in_a_row < RECOVERED or (folder / "end").exists()):
            if (status := served.command.poll()) is not None:
                return _stopped(number, name, status, statuses)
            statuses.append(_sent(bench, client))
            in_a_row = in_a_row + 1 if statuses[-1] == 200 else 0
        try:
            faults = list(_faults(served, client)) if in_a_row >= RECOVERED else ["scores no more"]
        except httpx.TransportError:
            # A thread that only activations or the log need ends the server at the first of them.
            status = served.command.wait(PATIENCE_S)
            return _stopped(number, name, status, statuses)
    return Outcome(number, f"{name}: {', '.join(faults) or 'went on'}", not faults, str(statuses))


def _stopped(number: int, name: str, status: int, statuses: list[int]) -> Outcome:
    return Outcome(number, f"{name}: ended with status {status}", status == EXIT_UNABLE, str(statuses))


def _faults(served: Served, client: httpx.Client) -> Iterator[str]:
    """What no longer works of a server that scores: it must say that it is not ready, or do everything."""
    path = f"/v1/products/{PRODUCT}/versions/{VERSIONS[1]}/activate"
    lines = served.command.said.stat().st_size
    try:
        active = client.post(path, timeout=30).status_code
    except httpx.TransportError:
        active = 0
    ready = client.get("/readyz").status_code
    if ready == 200 and active != 200:
        yield f"ready, but activates nothing ({active})"
    end = time.monotonic() + 10
    while served.command.said.stat().st_size == lines and time.monotonic() < end:
        time.sleep(0.1)
    if served.command.said.stat().st_size == lines:
        yield "logs no more"


def _sent(bench: Bench, client: httpx.Client) -> int:
    """Status of a part; 0 without an answer."""
    try:
        return client.post(SCORE, files=bench.scene.form).status_code
    except httpx.TransportError:
        return 0


CASE = Case("threads", "each thread of the server ended from inside, a server each", 20, run, "R9")
