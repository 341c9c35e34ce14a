"""A log that cannot be written: the full disk, the closed pipe, and the pipe that nobody reads."""

from __future__ import annotations

import asyncio
import ctypes
import fcntl
import json
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.jobs.task import Task
from service.settings import Settings
from service.watch.log_lines import LogLines
from tests.faults.warm import Warm
from tests.service import stand_in
from tests.waiting import until

KINDS = ("full", "closed", "unread")


@contextmanager
def _unwritable(kind: str) -> Iterator[int]:
    """A descriptor that fails or blocks."""
    if kind == "full":
        descriptor = os.open("/dev/full", os.O_WRONLY)
        yield descriptor
        os.close(descriptor)
        return
    reading, writing = os.pipe()
    if kind == "unread":
        os.set_blocking(writing, False)
        with suppress(BlockingIOError):
            os.write(writing, bytes(1 << 20))  # a part of it, and no more
            os.write(writing, b" ")
        os.set_blocking(writing, True)
        yield writing
        os.close(reading)  # what still waits in a write sees that
    else:
        os.close(reading)
        yield writing
    os.close(writing)


class Failing:
    """A job that fails in a way that is logged; the next one does not."""

    name = "fail"

    async def run(self, task: Task) -> Mapping[str, Any]:
        if task.job.request["fail"]:
            raise ZeroDivisionError
        return {}


@pytest.mark.parametrize("kind", KINDS)
def test_parts_loads_shadows_and_jobs_go_on(
    kind: str,
    serve: Callable[..., Any],
    make_loader: Any,
    make_detector: Any,
    part: dict[str, bytes],
    tmp_path: Path,
) -> None:
    loader = make_loader(*(make_detector("cookie", version) for version in ("v1", "v2", "v3")))
    loader.shadows["cookie"] = "v2"
    with _unwritable(kind) as descriptor:
        lines = LogLines(descriptor, most_bytes=2000)
        settings = Settings(banks=tmp_path, poll_s=0.05)
        with serve(settings, loader, kinds=[Failing()], lines=lines) as running, running.client() as client:

            def version_of_a_part() -> str:
                answer = client.post("/v1/products/cookie/score", files=part)
                assert answer.status_code == 200, answer.text
                return answer.json()["bank_version"]

            assert version_of_a_part() == "v1"
            loader.actives["cookie"] = "v3"  # the loading thread says what it loads
            until(lambda: version_of_a_part() == "v3", "v3 is in use")
            for fail, state in ((True, "failed"), (False, "done")):
                job = _submit(running, {"fail": fail})
                until(
                    lambda job=job, state=state: client.get(f"/v1/jobs/{job}").json()["state"] == state, state
                )
            until(lambda: version_of_a_part() == "v3" and _lost(client) > 0, "lines are lost")
            assert client.get("/readyz").status_code == 200
    lines.finish()


def _submit(running: Any, request: Mapping[str, Any]) -> str:
    call = running.app.state.shared.jobs.submit("fail", "cookie", request)
    return asyncio.run_coroutine_threadsafe(call, running.server._loop).result(60).id


def _lost(client: httpx.Client) -> float:
    told = dict(line.rsplit(" ", 1) for line in client.get("/metrics").text.splitlines())
    return float(told["tribank_log_lines_lost_total"])


@pytest.mark.parametrize("kind", ["full", "unread"])
def test_a_server_starts_scores_and_ends_well_on_such_a_stream(
    kind: str, part: dict[str, bytes], tmp_path: Path, free_port: int, warm: Warm
) -> None:
    (tmp_path / "banks").mkdir()
    serve = ["serve", "--port", str(free_port)]
    serve += ["--banks", str(tmp_path / "banks"), "--state", str(tmp_path / "state")]
    hook = f"{stand_in.__name__}:{stand_in.scores.__name__}"
    with _unwritable(kind) as descriptor:
        errors = Path(f"/proc/{os.getpid()}/fd/{descriptor}")
        server = warm.start(serve, tmp_path / "said", hook=hook, errors=errors)
        try:
            address = f"http://127.0.0.1:{free_port}"
            with httpx.Client(base_url=address, timeout=60, trust_env=False) as client:
                until(lambda: _ready(client), "ready")
                assert client.post("/v1/products/cookie/score", files=part).status_code == 200
            server.signal(signal.SIGTERM)
            assert server.wait(100) == 0
        finally:
            server.kill()


def _ready(client: httpx.Client) -> bool:
    try:
        return client.get("/readyz").status_code == 200
    except httpx.TransportError:
        return False


def test_each_threads_lines_keep_their_order_and_none_is_lost_at_the_end() -> None:
    reading, writing = os.pipe()
    found: list[str] = []
    with os.fdopen(reading) as source:
        reader = threading.Thread(target=lambda: found.extend(source))
        reader.start()
        lines = LogLines(writing)
        speakers = [
            threading.Thread(target=lambda n=n: [print(n, line, file=lines) for line in range(500)])
            for n in range(4)
        ]
        for speaker in speakers:
            speaker.start()
        for speaker in speakers:
            speaker.join()
        lines.finish(100)
        os.close(writing)
        reader.join(100)
    assert lines.lost == 0
    for n in range(4):
        assert [line for line in found if line.startswith(f"{n} ")] == [f"{n} {i}\n" for i in range(500)]


def test_a_gap_is_told_in_the_log_once_it_can_be_written_again() -> None:
    reading, writing = os.pipe()
    room = _fill(writing)
    lines = LogLines(writing, most_bytes=200_000)
    for number in range(1000):
        lines.write(f"{number:999}\n")
    lost = lines.lost
    assert lost == 800, "no line left while the pipe was full"
    with os.fdopen(reading) as source:
        assert source.readline() == " " * (room - 1) + "\n"
        assert [int(source.readline()) for _ in range(1000 - lost)] == list(range(1000 - lost))
        lines.write("after\n")
        gap = json.loads(source.readline())
        assert (gap["event"], gap["lines"]) == ("log_lines_lost", lost)
        assert source.readline() == "after\n"
        lines.finish(100)
        os.close(writing)


def _fill(pipe: int) -> int:
    """Fill a pipe with one line, so that nothing more can be written to it. Its length in bytes."""
    room = fcntl.fcntl(pipe, fcntl.F_GETPIPE_SZ)
    assert os.write(pipe, b" " * (room - 1) + b"\n") == room
    return room


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_lines_go_on_when_the_writing_thread_was_ended() -> None:
    reading, writing = os.pipe()
    lines = LogLines(writing)
    lines.write("first\n")
    assert os.read(reading, 100) == b"first\n"
    writer = lines._writer
    end = ctypes.py_object(SystemExit)
    assert ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(writer.ident or 0), end) == 1
    lines.write("second\n")
    until(lambda: not writer.is_alive(), "the end of the writer")
    lines.write("third\n")
    lines.finish()
    os.close(writing)
    with open(reading, "rb") as file:
        assert file.read().split() == [b"second", b"third"]
