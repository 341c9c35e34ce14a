"""Clients that send or read slowly, or not at all, stall nobody else."""

from __future__ import annotations

import asyncio
import select
import socket
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Message

from service.http.keys import Keys
from service.http.protocol import BoundedProtocol
from service.http.streams import NDJSON, LineStream
from tests.service.conftest import received
from tests.waiting import until

URL = "/v1/products/cookie/score"
HEAD = (
    b"POST /v1/products/cookie/score HTTP/1.1\r\nHost: localhost\r\n"
    b"Content-Type: multipart/form-data; boundary=b\r\n%sContent-Length: %d\r\n\r\n"
)


BATCH_URL = "/v1/products/cookie/batch"
BATCH = (
    b"POST /v1/products/cookie/batch HTTP/1.1\r\nHost: localhost\r\n"
    b"Content-Type: application/zip\r\nContent-Length: %d\r\n\r\n"
)
PATIENT = {"body_timeout_s": 600.0, "body_grace_s": 600.0}
"""Nothing ends a slow body but another that needs its place."""


def _connect(running: Any, address: str = "127.0.0.1", room: int = 4096) -> socket.socket:
    """A connection from one of the machine's own addresses, with room for few bytes."""
    connection = socket.socket()
    connection.settimeout(10)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
    connection.bind((address, 0))
    connection.connect((running.host, running.port))
    return connection


def _statuses(connections: list[socket.socket]) -> Counter[bytes]:
    return Counter(connection.recv(100)[9:12] for connection in connections)


def test_half_sent_bodies_of_one_address_hold_half_of_the_places_and_end_in_408(
    serve: Callable[..., Any], strict_settings: Any, loader: Any, part: dict[str, bytes], form: bytes
) -> None:
    places = strict_settings.max_uploads
    with serve(strict_settings, loader) as running, running.client() as client, ExitStack() as held:
        slow = [held.enter_context(_connect(running, "127.0.0.2")) for _ in range(2 * places)]
        for connection in slow:
            connection.sendall(HEAD % (b"", len(form)) + form[:100])
        for _ in range(5):
            assert client.post(URL, files=part).status_code == 200
        assert _statuses(slow) == {b"408": places // 2, b"429": 2 * places - places // 2}
        assert running.app.state.shared.uploads.inside == 0


def test_half_sent_bodies_of_one_key_hold_no_place_of_another(
    serve: Callable[..., Any],
    strict_settings: Any,
    loader: Any,
    part: dict[str, bytes],
    form: bytes,
    tmp_path: Path,
) -> None:
    keys = Keys(tmp_path)
    slow_key, good_key = (keys.add(name, "score") for name in ("slow", "good"))
    settings = strict_settings.model_copy(update={"max_uploads": 3})
    with serve(settings, loader, state=tmp_path) as running, running.client() as client, ExitStack() as held:
        slow = [held.enter_context(_connect(running)) for _ in range(4)]
        for connection in slow:
            key = f"X-API-Key: {slow_key}\r\n".encode()
            connection.sendall(HEAD % (key, len(form)) + form[:100])
        for _ in range(3):
            answer = client.post(URL, files=part, headers={"X-API-Key": good_key})
            assert answer.status_code == 200
        assert _statuses(slow) == {b"408": 2, b"429": 2}


def test_bodies_that_drip_from_many_addresses_give_their_places_back(
    serve: Callable[..., Any], strict_settings: Any, loader: Any, part: dict[str, bytes], form: bytes
) -> None:
    settings = strict_settings.model_copy(update={"body_timeout_s": 600.0, "body_grace_s": 5.0})
    places = settings.max_uploads
    with serve(settings, loader) as running, running.client() as client, ExitStack() as held:
        slow = [held.enter_context(_connect(running, f"127.0.0.{2 + n}")) for n in range(places)]
        for connection in slow:
            connection.sendall(HEAD % (b"", len(form)) + form[:100])
        until(lambda: running.app.state.shared.uploads.inside == places, "all places taken")
        until(lambda: running.app.state.shared.uploads.inside == 0, "the places given back")
        assert client.post(URL, files=part).status_code == 200
        assert _statuses(slow) == {b"408": places}


@pytest.mark.parametrize("announced", [100_000, 2_999_000])
def test_slow_bodies_from_many_addresses_give_way_to_quick_ones(
    serve: Callable[..., Any],
    strict_settings: Any,
    loader: Any,
    part: dict[str, bytes],
    form: bytes,
    announced: int,
) -> None:
    bounds = {"max_uploads": 4, "max_upload_bytes": 6_000_000}
    bounds["body_bytes_per_s"] = 10**9  # a slow body is late at once, not after the 6 ms of its 100 bytes
    holding = min(bounds["max_uploads"], bounds["max_upload_bytes"] // announced)
    settings = strict_settings.model_copy(update=PATIENT | bounds)
    with ExitStack() as held:
        running = held.enter_context(serve(settings, loader))
        slow = [held.enter_context(_connect(running, f"127.0.0.{2 + n}")) for n in range(12)]
        for connection in slow:
            connection.sendall(HEAD % (b"", announced) + form[:100])
        until(lambda: len(_ready(slow)) == len(slow) - holding, "all but the last of them gave way")
        with running.client() as client:
            answers = [client.post(URL, files=part) for _ in range(8)]
        assert [answer.status_code for answer in answers] == [200] * 8
        refused = _ready(slow)
        assert _statuses(refused) == {b"429": len(refused)}


def test_slow_batches_from_many_addresses_give_way_to_a_quick_one(
    serve: Callable[..., Any], strict_settings: Any, loader: Any
) -> None:
    settings = strict_settings.model_copy(update=PATIENT | {"max_batches": 2, "batch_timeout_s": 600.0})
    with serve(settings, loader) as running, running.client() as client, ExitStack() as held:
        slow = [held.enter_context(_connect(running, f"127.0.0.{2 + n}")) for n in range(2)]
        for connection in slow:
            connection.sendall(BATCH % 1000 + b"PK")
        until(lambda: running.app.state.shared.batches.inside == 2, "all places taken")
        answer = client.post(BATCH_URL, content=b"PK", headers={"Content-Type": "application/zip"})
        assert answer.status_code == 422


def _ready(connections: list[socket.socket]) -> list[socket.socket]:
    """Those that an answer has come to."""
    return select.select(connections, [], [], 0)[0]


def test_answers_that_nobody_reads_hold_no_place_of_others(
    serve: Callable[..., Any], strict_settings: Any, loader: Any, part: dict[str, bytes], form: bytes
) -> None:
    with serve(strict_settings, loader) as running, running.client() as client, ExitStack() as held:
        for _ in range(10):
            connection = held.enter_context(_connect(running))
            connection.sendall(HEAD % (b"Accept: application/x-npz\r\n", len(form)) + form)
            connection.recv(100)  # the answer has begun; the rest of its megabytes is left lying
        for _ in range(5):
            assert client.post(URL, files=part).status_code == 200
        assert running.app.state.shared.parts.inside == 0


def test_a_part_on_its_way_when_the_service_begins_to_stop_is_finished(
    serve: Callable[..., Any], strict_settings: Any, loader: Any, part: dict[str, bytes], form: bytes
) -> None:
    with serve(strict_settings, loader) as running, running.client() as client, _connect(running) as slow:
        slow.sendall(HEAD % (b"", len(form)) + form[:100])
        until(lambda: running.app.state.shared.uploads.inside, "the upload on its way")
        running.app.state.shared.drain()
        assert client.post(URL, files=part).json()["code"] == "shutting_down"
        slow.sendall(form[100:])
        assert slow.recv(100).startswith(b"HTTP/1.1 200")


def test_a_request_on_its_way_when_the_server_stops_is_told_so(
    serve: Callable[..., Any],
    strict_settings: Any,
    loader: Any,
    form: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(BoundedProtocol, "last_head_s", 60.0)
    settings = strict_settings.model_copy(update={"head_timeout_s": 60.0})
    with serve(settings, loader) as running, _connect(running) as late:
        until(lambda: _open(running), "the server's end of the connection")
        running.server._stop()
        until(lambda: not running.server.servers[0].is_serving(), "a server that listens no more")
        late.sendall(HEAD % (b"", len(form)) + form)
        answer = received(late)
    assert (answer[9:12], b"shutting_down" in answer) == (b"503", True)


def _unread(running: Any, form: bytes, held: ExitStack, room: int = 4096) -> socket.socket:
    """A connection whose answer of megabytes has begun, and lies in the server's memory."""
    connection = held.enter_context(_connect(running, room=room))
    kept = until(
        lambda: [one for one in _open(running) if one.client == connection.getsockname()],
        "the server's end of the connection",
    )
    transport = kept[0].transport
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, room)
    connection.sendall(HEAD % (b"Accept: application/x-npz\r\n", len(form)) + form)
    connection.recv(100)
    until(transport.get_write_buffer_size, "an answer that waits to be taken")
    return connection


def _open(running: Any) -> list[Any]:
    """The server's ends of all connections."""
    return list(running.server.server_state.connections)


def _taken(connection: socket.socket) -> int:
    """Bytes that come until the end."""
    taken = 0
    while piece := connection.recv(65_536):
        taken += len(piece)
    return taken


def test_an_answer_that_nobody_takes_is_cut(
    serve: Callable[..., Any], strict_settings: Any, loader: Any, form: bytes
) -> None:
    settings = strict_settings.model_copy(update={"stall_s": 0.4})
    with serve(settings, loader) as running, ExitStack() as held:
        connection = _unread(running, form, held)
        until(lambda: not _open(running), "the connection that is cut")
        assert _taken(connection) < 1_000_000


def test_an_answer_that_is_taken_slowly_is_not_cut(
    serve: Callable[..., Any], strict_settings: Any, loader: Any, form: bytes
) -> None:
    settings = strict_settings.model_copy(update={"stall_s": 1.0})
    with serve(settings, loader) as running, ExitStack() as held:
        connection = _unread(running, form, held, room=65_536)
        taken, end = 0, time.monotonic() + 2
        while time.monotonic() < end:
            taken += len(connection.recv(16_384))
            time.sleep(0.05)
        (kept,) = _open(running)
        assert kept.transport.get_write_buffer_size()
        kept.shutdown()
        assert taken + _taken(connection) > 1_000_000


def test_an_answer_that_nobody_takes_ends_before_a_stop_gives_up_on_it(
    serve: Callable[..., Any], strict_settings: Any, loader: Any, form: bytes
) -> None:
    settings = strict_settings.model_copy(update={"stall_s": 0.4})
    with ExitStack() as held:
        with serve(settings, loader) as running:
            running.server.config.timeout_graceful_shutdown = 1000
            _unread(running, form, held)
        assert not _open(running)


def test_a_stream_that_nobody_takes_ends_and_lets_go() -> None:
    ended: list[str] = []

    async def lines() -> AsyncGenerator[str]:
        try:
            while True:
                yield "{}\n"
        finally:
            ended.append("lines")

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    held = ExitStack()
    held.callback(ended.append, "place")
    stream = LineStream(lines(), media_type=NDJSON, stall_s=0.05, held=held)
    with pytest.raises((ClientDisconnect, ExceptionGroup)):
        asyncio.run(stream({"type": "http", "asgi": {"spec_version": "2.4"}}, receive, send))
    assert ended == ["lines", "place"]
