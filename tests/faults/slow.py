"""Connections that send one byte a second: heads of requests, and bodies of parts."""

from __future__ import annotations

import asyncio
import resource
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from tests.faults.bench import SCORE, Bench, Served
from tests.faults.case import Case, Outcome

ALONE = 20  # good parts before
LATEST_S = 60.0
"""A slow connection that is open for as long is held for ever."""
QUICK = {"head_timeout_s": 1, "body_timeout_s": 1.5, "keep_alive_s": 1}
_HEAD = b"POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: " % SCORE.encode()
_BODY = (
    b"POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=b\r\n"
    b"Content-Length: 100000\r\n\r\n"
    b'--b\r\nContent-Disposition: form-data; name="rgb"\r\n\r\n' % SCORE.encode()
)


def run(bench: Bench, numbers: Sequence[int]) -> Iterator[Outcome]:
    """All connections at once, each from an address of its own, and good parts beside them."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with bench.serving("slow", **(QUICK if bench.quick else {})) as served:
        alone = [_good(bench, served) for _ in range(3 if bench.quick else ALONE)]
        over = threading.Event()
        with ThreadPoolExecutor(1) as pool:
            beside = pool.submit(_meanwhile, bench, served, over)
            try:
                ends = asyncio.run(_all(served, numbers))
            finally:
                over.set()
            good = beside.result(200)
        memory = served.memory_mb()
    for number, end in zip(numbers, ends, strict=True):
        yield Outcome(number, end, end in {"408", "429", "503", "closed"}, "")
    statuses = Counter(status for status, _ in good)
    quantiles = [np.quantile([seconds for _, seconds in found], 0.99) for found in (alone, good)]
    told = ", ".join(f"{count} x {status}" for status, count in sorted(statuses.items()))
    yield Outcome(None, "good parts beside them:", set(statuses) == {200}, told)
    yield Outcome(None, "their p99:", True, f"{quantiles[1]:.2f} s (alone {quantiles[0]:.2f} s)")
    yield Outcome(None, "memory after:", True, f"{memory:.0f} MB")


def _good(bench: Bench, served: Served) -> tuple[int, float]:
    """Status and seconds."""
    started = time.monotonic()
    with served.client() as client:
        answer = client.post(SCORE, files=bench.scene.form)
    return answer.status_code, time.monotonic() - started


def _meanwhile(bench: Bench, served: Served, over: threading.Event) -> list[tuple[int, float]]:
    found = []
    while not over.wait(0.1):
        found.append(_good(bench, served))
    return found


async def _all(served: Served, numbers: Sequence[int]) -> list[str]:
    return list(await asyncio.gather(*(_slow(served, number) for number in numbers)))


async def _slow(served: Served, number: int) -> str:
    """How the server ends the connection: a status, or `closed`, or `held` where it does not."""
    own = f"127.{1 + number // 50_000}.{number // 250 % 200}.{1 + number % 250}"
    end = time.monotonic() + LATEST_S
    await asyncio.sleep(number % 100 / 100)  # not all in one instant: they would only meet the backlog
    try:
        reader, writer = await asyncio.open_connection(*served.address, local_addr=(own, 0))
    except OSError:
        return "closed"
    try:
        writer.write(_BODY if number % 2 else _HEAD)
        while time.monotonic() < end:
            try:
                async with asyncio.timeout(1):
                    answer = await reader.read(1000)
            except TimeoutError:
                writer.write(b"a")
                continue
            return answer[9:12].decode() if answer else "closed"
    except OSError:
        return "closed"
    finally:
        writer.close()
    return "held"


CASE = Case(
    "slow",
    "connections from as many addresses that send a byte a second, half of them heads, half bodies",
    1000,
    run,
    "R12",
)
