"""SIGTERM under load: what was sent before it is answered."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.faults.bench import SCORE, Bench, Served
from tests.faults.case import Case, Outcome

CLIENTS = 4
ANSWERED = (200, 503)
"""Of what was sent before: scored, or told that the service stops. A reset says neither."""


def run(bench: Bench, numbers: Sequence[int]) -> Iterator[Outcome]:
    """A server a number, stopped at a random moment under clients that each send part after part."""
    for number in numbers:
        with (
            bench.serving("drain", max_in_flight=CLIENTS, max_uploads=4 * CLIENTS) as served,
            ThreadPoolExecutor(CLIENTS) as pool,
        ):
            over, sent = threading.Event(), list[tuple[float, int]]()
            clients = [pool.submit(_send, bench, served, over, sent) for _ in range(CLIENTS)]
            time.sleep(0.5 + random.Random(number).random())
            stopped = time.monotonic()
            served.command.signal(signal.SIGTERM)
            status = served.command.wait()
            over.set()
            for client in clients:
                client.result(200)
        before = [answered for begun, answered in sent if begun < stopped]
        lost = [answered for answered in before if answered not in ANSWERED]
        kind = f"ended with status {status}" + (f"; {len(lost)} parts lost" if lost else "")
        yield Outcome(number, kind, status == 0 and not lost, f"{len(before)} before, lost {lost}")


def _send(bench: Bench, served: Served, over: threading.Event, sent: list[tuple[float, int]]) -> None:
    """Each part on a connection of its own; when its last byte was on its way, and its status or 0."""
    while not over.is_set():
        begun = [0.0]
        try:
            with served.client() as client:

                def told(name: str, _: object, begun: list[float] = begun) -> None:
                    if name.endswith("send_request_body.complete"):
                        begun[0] = time.monotonic()

                answer = client.post(SCORE, files=bench.scene.form, extensions={"trace": told})
                sent.append((begun[0], answer.status_code))
        except httpx.TransportError:
            if begun[0]:
                sent.append((begun[0], 0))
            time.sleep(0.02)


CASE = Case("drain", "SIGTERM at a random moment under 4 clients, a server each", 20, run, "R11")
