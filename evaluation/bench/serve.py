"""`tribank bench-serve`: send more parts to a running server than it can score.

Parts are sent at a fixed rate, whether earlier parts are answered or not (an open loop), as cameras do.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer
from rich.console import Console

MAX_OPEN = 512
"""Largest number of requests that wait for an answer. Further parts are not sent, but counted."""
_ALONE = 30
_CAPACITY_S = 10.0
_RETRY_S = 0.05  # without a pause, clients would take CPU time from scoring
_BOUNDARY = "part"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of the server.

    Attributes:
        status: of the response; 0 if the connection broke.
        seconds: from connecting to the end of the response.
        retry_after: whether the response has a header Retry-After.
        body: of the response.
    """

    status: int
    seconds: float
    retry_after: bool
    body: bytes


@dataclass(frozen=True, slots=True)
class Station:
    """The address for parts, and the part that is sent.

    Attributes:
        host, port, path: the address.
        headers: header lines of every request.
        part: further header lines and the body of a part.
    """

    host: str
    port: int
    path: str
    headers: bytes
    part: bytes

    async def send(self) -> Answer:
        """Send the part on a new connection. A broken connection has status 0."""
        return await _exchange(self.host, self.port, f"POST {self.path}", self.headers + self.part)

    async def memory_mb(self) -> float:
        """Resident memory of the server's process from its metrics, MiB. Raises RuntimeError."""
        answer = await _exchange(self.host, self.port, "GET /metrics", self.headers + b"\r\n")
        metric = re.search(rb"^process_resident_memory_bytes (\S+)", answer.body, re.MULTILINE)
        if metric is None:
            raise RuntimeError(
                f"{self.host}:{self.port}/metrics has no process memory (status {answer.status}). "
                "Check the address and the key."
            )
        return float(metric[1]) / 2**20


def bench_serve(
    product: Annotated[str, typer.Argument(help="A product that is served.")],
    rgb: Annotated[Path, typer.Argument(help="A part's image.")],
    xyz: Annotated[Path, typer.Argument(help="The part's organised cloud.")],
    url: Annotated[str, typer.Option(help="Address of the server.")] = "http://127.0.0.1:8000",
    seconds: Annotated[float, typer.Option(min=1, max=3600, help="Duration of the load.")] = 120.0,
    factor: Annotated[
        float, typer.Option(min=0.1, max=20, help="Load as a multiple of the measured capacity.")
    ] = 2.0,
    clients: Annotated[
        int,
        typer.Option(
            min=1,
            max=MAX_OPEN,
            help="Clients that measure the capacity: each sends its next part after an answer. Give the "
            "server a place for each (TRIBANK_MAX_IN_FLIGHT).",
        ),
    ] = 4,
    key: Annotated[str, typer.Option(envvar="TRIBANK_KEY", help="API key, if the server needs one.")] = "",
) -> None:
    """Measure a running server: one client, several clients, then a multiple of its capacity.

    Prints statuses, latencies and memory as JSON.
    """
    from evaluation.bench.environment import processor

    report = asyncio.run(load(station(url, product, rgb, xyz, key), seconds, factor, clients))
    report["hardware"] = {"cpu": processor(), "cores": os.cpu_count(), "load_average": os.getloadavg()}
    Console().print_json(json.dumps(report))


async def load(station: Station, seconds: float, factor: float, clients: int = 4) -> dict[str, object]:
    """Load the server. Returns the report: times in ms, memory in MB.

    station: where parts are sent. seconds: duration. factor: load as a multiple of the measured capacity.
    clients: number of clients that measure the capacity.
    Raises RuntimeError if the server does not answer single parts with 200.
    """
    alone = await _one_by_one(station, seconds)
    if any(answer.status != 200 for answer in alone):
        statuses = dict(Counter(answer.status for answer in alone))
        raise RuntimeError(
            f"The server does not score single parts: statuses and counts {statuses}. Check address, product "
            "and key (status 0: no connection)."
        )
    p50 = _quantile(alone, 0.5)
    one_client = len(alone) / sum(answer.seconds for answer in alone)
    capacity = await _capacity(station, min(_CAPACITY_S, seconds), clients)
    memory = [await station.memory_mb()]
    answers, unsent = await _offer(station, capacity * factor, seconds, memory)
    accepted = [answer for answer in answers if answer.status == 200]
    refused = [answer for answer in answers if answer.status == 429]
    p99 = _quantile(accepted, 0.99) if accepted else float("nan")
    return {
        "unloaded_p50_ms": p50,
        "one_client_per_s": one_client,
        "clients": clients,
        "capacity_per_s": capacity,
        "capacity_over_one_client": capacity / one_client,
        "offered_per_s": capacity * factor,
        "seconds": seconds,
        "statuses": {str(status): count for status, count in Counter(a.status for a in answers).items()},
        "unsent": unsent,
        "refused_with_retry_after": sum(answer.retry_after for answer in refused),
        "accepted_per_s": len(accepted) / seconds,
        "accepted_p50_ms": _quantile(accepted, 0.5) if accepted else float("nan"),
        "accepted_p99_ms": p99,
        "p99_over_unloaded_p50": p99 / p50,
        "refused_p99_ms": _quantile(refused, 0.99) if refused else None,
        "memory_mb": {"before": memory[0], "most": max(memory), "after": memory[-1]},
    }


async def _one_by_one(station: Station, seconds: float) -> list[Answer]:
    """Send parts one after another: `_ALONE` parts, fewer if the time is over before, at least one."""
    until = time.monotonic() + seconds
    answers = [await station.send()]
    while len(answers) < _ALONE and time.monotonic() < until:
        answers.append(await station.send())
    return answers


async def _capacity(station: Station, seconds: float, clients: int) -> float:
    """Parts per second if some clients each send the next part after an answer."""
    until = time.monotonic() + seconds

    async def client() -> int:
        done = 0
        while time.monotonic() < until:
            if (await station.send()).status == 200:
                done += 1
            else:
                await asyncio.sleep(_RETRY_S)
        return done

    return sum(await asyncio.gather(*(client() for _ in range(clients)))) / seconds


async def _offer(
    station: Station, rate: float, seconds: float, memory: list[float]
) -> tuple[list[Answer], int]:
    """Send `rate` parts per second. Returns all answers and the number of parts that were not sent.

    memory: the server's memory, MiB, is appended every 5 s.
    """
    started, answers, unsent = time.monotonic(), list[Answer](), 0
    waiting: set[asyncio.Task[Answer]] = set()

    def done(task: asyncio.Task[Answer]) -> None:
        waiting.discard(task)
        answers.append(task.result())

    async def watch() -> None:
        while True:
            await asyncio.sleep(5)
            memory.append(await station.memory_mb())

    watching = asyncio.create_task(watch())
    for number in range(int(rate * seconds)):
        await asyncio.sleep(max(0.0, started + number / rate - time.monotonic()))
        if len(waiting) >= MAX_OPEN:
            unsent += 1
            continue
        task = asyncio.create_task(station.send())
        waiting.add(task)
        task.add_done_callback(done)
    await asyncio.gather(*waiting)
    watching.cancel()
    memory.append(await station.memory_mb())
    return answers, unsent


async def _exchange(host: str, port: int, line: str, rest: bytes) -> Answer:
    started = time.perf_counter()
    answer = b""
    try:
        reader, writer = await asyncio.open_connection(host, port)
        try:
            writer.write(f"{line} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n".encode() + rest)
            answer = await reader.read(-1)
        finally:
            writer.close()
    except OSError:
        pass  # refused or reset: status 0
    seconds = time.perf_counter() - started
    head, _, body = answer.partition(b"\r\n\r\n")
    status = int(head[9:12]) if head.startswith(b"HTTP/1.1 ") else 0
    return Answer(status, seconds, b"\r\nretry-after:" in head.lower(), body)


def station(url: str, product: str, rgb: Path, xyz: Path, key: str) -> Station:
    """The address for a product's parts, and one part as a form.

    url: of the server. product: name. rgb, xyz: files of the part. key: an API key, or "".
    """
    address = urlsplit(url)
    pieces = [
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + content + b"\r\n"
        for name, content in (("rgb", rgb.read_bytes()), ("xyz", xyz.read_bytes()))
    ]
    body = b"".join(pieces) + f"--{_BOUNDARY}--\r\n".encode()
    head = f"Content-Type: multipart/form-data; boundary={_BOUNDARY}\r\nContent-Length: {len(body)}\r\n\r\n"
    headers = f"X-API-Key: {key}\r\n".encode() if key else b""
    path = f"/v1/products/{product}/score"
    return Station(address.hostname or "127.0.0.1", address.port or 80, path, headers, head.encode() + body)


def _quantile(answers: list[Answer], share: float) -> float:
    """Milliseconds."""
    import numpy as np

    return float(np.quantile([answer.seconds for answer in answers], share)) * 1000
