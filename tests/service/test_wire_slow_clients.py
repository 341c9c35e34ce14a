"""Clients that send or read slowly, or not at all, stall nobody else."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import ExitStack
from typing import Any

import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Message

from service.lines import NDJSON, LineStream

HEAD = (
    b"POST /v1/products/cookie/score HTTP/1.1\r\nHost: localhost\r\n"
    b"Content-Type: multipart/form-data; boundary=b\r\n%sContent-Length: %d\r\n\r\n"
)


def _connect(running: Any) -> socket.socket:
    connection = socket.create_connection((running.host, running.port), 10)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    return connection


def test_half_sent_bodies_hold_no_place_of_others_and_end_in_408(
    serve: Callable[..., Any], strict_settings: Any, loader: Any, part: dict[str, bytes], form: bytes
) -> None:
    with serve(strict_settings, loader) as running, running.client() as client, ExitStack() as held:
        slow = [held.enter_context(_connect(running)) for _ in range(strict_settings.max_uploads - 1)]
        for connection in slow:
            connection.sendall(HEAD % (b"", len(form)) + form[:100])
        for _ in range(5):
            assert client.post("/v1/products/cookie/score", files=part).status_code == 200
        for connection in slow:
            assert connection.recv(100).startswith(b"HTTP/1.1 408")
        assert running.app.state.wiring.uploads.inside == 0


def test_answers_that_nobody_reads_hold_no_place_of_others(
    serve: Callable[..., Any], strict_settings: Any, loader: Any, part: dict[str, bytes], form: bytes
) -> None:
    with serve(strict_settings, loader) as running, running.client() as client, ExitStack() as held:
        for _ in range(10):
            connection = held.enter_context(_connect(running))
            connection.sendall(HEAD % (b"Accept: application/x-npz\r\n", len(form)) + form)
            connection.recv(100)  # the answer has begun; the rest of its megabytes is left lying
        for _ in range(5):
            assert client.post("/v1/products/cookie/score", files=part).status_code == 200
        assert running.app.state.wiring.parts.inside == 0


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
