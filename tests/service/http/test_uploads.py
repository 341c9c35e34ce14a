from __future__ import annotations

import asyncio
import select
import socket
import tracemalloc
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.datastructures import Headers

from service.http.arrivals import Arrival, Pace
from service.http.forms import FormReader
from service.http.uploads import FORM, MAX_FIELDS, RAW, Fields, bounded, check_head
from service.refusals import Refusal
from tests.waiting import until

MIB = 1 << 20
LIMITS = {"rgb": 1000, "xyz": 2000, "part_id": 100}
MOST_BYTES = 20_000
TYPE = f"{FORM}; boundary=b"


def field(name: str, content: bytes, *, extra: bytes = b"") -> bytes:
    head = f'--b\r\nContent-Disposition: form-data; name="{name}"'.encode()
    return head + extra + b"\r\n\r\n" + content + b"\r\n"


def read(body: bytes, size: int = 1 << 20) -> dict[str, bytes]:
    """As the service reads it: in pieces, bounded."""
    fields = Fields(LIMITS)
    reader = FormReader(b"b", fields, most_fields=MAX_FIELDS)

    async def receive() -> None:
        async def pieces() -> AsyncIterator[bytes]:
            for at in range(0, len(body), size):
                yield body[at : at + size]

        async for piece in bounded(pieces(), MOST_BYTES, 5, Arrival(Pace(0, 1.0))):
            reader.feed(piece)

    asyncio.run(receive())
    reader.finish()
    return fields.content()


def refusal(body: bytes) -> tuple[int, str]:
    with pytest.raises(Refusal) as caught:
        read(body)
    return caught.value.status, caught.value.code


@given(
    st.dictionaries(st.sampled_from(["rgb", "xyz"]), st.binary(max_size=300) | st.just(b"\r\n--\r\n--")),
    st.integers(1, 40),
)
@settings(deadline=None)
def test_fields_come_out_as_they_went_in_however_the_body_is_cut(fields: dict[str, bytes], size: int) -> None:
    fields = {name: content for name, content in fields.items() if b"\r\n--b" not in b"\r\n" + content}
    body = b"".join(field(name, content) for name, content in fields.items()) + b"--b--\r\n"
    assert read(body, size) == fields


@given(st.binary(max_size=400), st.integers(0, 200), st.integers(1, 50))
@settings(deadline=None)
def test_damaged_bodies_are_refused_or_read_never_worse(noise: bytes, at: int, size: int) -> None:
    body = field("rgb", b"12345") + field("xyz", b"67890") + b"--b--\r\n"
    try:
        read(body[:at] + noise + body[at + len(noise) :], size)
    except Refusal as refused:
        if refused.status not in (400, 413):
            raise


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", (400, "no_body")),
        (b"no boundary at all", (400, "malformed_form")),
        (b"x" * 5000 + field("rgb", b"1") + b"--b--", (400, "malformed_form")),
        (field("rgb", b"1"), (400, "malformed_form")),
        (field("rgb", b"1") + b"--b--\r\n" + b"x" * 5000, (400, "malformed_form")),
        (field("rgb", b"") * (MAX_FIELDS + 1), (413, "too_many_fields")),
        (field("rgb", b"x" * 1001) + b"--b--", (413, "field_too_large")),
        (field("rgb", b"1") * 2 + b"--b--", (400, "repeated_field")),
        (field("colour", b"1") + b"--b--", (400, "unknown_field")),
        (field("rgb", b"1", extra=b"\r\nX-Long: " + b"x" * 9000), (400, "malformed_form")),
        (field("rgb", b"1", extra=b"\r\nX: y" * 10_000), (413, "body_too_large")),
        (field("rgb", b"1", extra=b"\r\nX: y" * 2000), (400, "malformed_form")),
        (field("rgb", b"1", extra=b'; filename="a\r\nevil"'), (400, "malformed_form")),
        (
            field("rgb", b"1", extra=b'\r\nContent-Disposition: form-data; name="xyz"'),
            (400, "malformed_form"),
        ),
        (b"--b\r\nContent-Type: image/png\r\n\r\n1\r\n--b--", (400, "malformed_form")),
        (b"--bb\r\n", (400, "malformed_form")),
        (field("rgb", b"1") + b"--b--x", (400, "malformed_form")),
        (b"--b\r\nContent-Disposition: form-data; filename=a\r\n\r\n1\r\n--b--", (400, "malformed_form")),
    ],
)
def test_bodies_that_break_a_rule(body: bytes, expected: tuple[int, str]) -> None:
    assert refusal(body) == expected


@pytest.mark.parametrize("before", [b"", b"\r\n", b"This is a message in MIME format.\r\n", b"--x\r\n\r\n"])
@pytest.mark.parametrize("after", [b"", b"\r\n", b"\r\n\r\nThe end.\r\n", b" \r\n"])
def test_what_stands_around_the_fields_is_passed_over_however_the_body_is_cut(
    before: bytes, after: bytes
) -> None:
    body = before + field("rgb", b"1") + b"--b--" + after
    for size in (1, 7, 1 << 20):
        assert read(body, size) == {"rgb": b"1"}


def test_file_names_are_never_looked_at() -> None:
    for name in (b"../../etc/passwd", b"x" * 5000, b"\x00\xff"):
        body = field("rgb", b"1", extra=b'; filename="' + name + b'"') + b"--b--"
        assert read(body) == {"rgb": b"1"}


class Names:
    """Keeps the names of a form's fields."""

    def __init__(self) -> None:
        self.given: list[tuple[str, str]] = []

    def open(self, name: str, filename: str) -> None:
        self.given.append((name, filename))

    def take(self, piece: bytes) -> None:
        pass

    def close(self) -> None:
        pass


def test_names_are_utf_8_and_an_empty_piece_ends_nothing() -> None:
    names = Names()
    reader = FormReader(b"b", names, most_fields=2)
    body = field("file", b"1", extra='; filename="Stück 1.png"'.encode()) + field("parts", b"2") + b"--b--"
    for at in range(len(body)):
        reader.feed(b"")
        reader.feed(body[at : at + 1])
    reader.finish()
    assert names.given == [("file", "Stück 1.png"), ("parts", "")]


def test_an_unknown_field_of_any_size_is_not_kept() -> None:
    assert refusal(field("colour", b"x" * 15_000) + b"--b--") == (400, "unknown_field")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"content-length": "0"}, (400, "no_body")),
        ({}, (400, "no_body")),
        ({"content-length": "5", "content-type": "application/json"}, (415, "unsupported_body")),
        ({"content-length": "5"}, (415, "unsupported_body")),
        ({"content-length": "5", "content-type": "multipart/form-data"}, (400, "malformed_form")),
        ({"content-length": "5", "content-type": TYPE + "b" * 70}, (400, "malformed_form")),
        ({"content-length": "10000000000", "content-type": TYPE}, (413, "body_too_large")),
        (
            {"content-length": "5", "content-type": TYPE, "content-encoding": "gzip"},
            (415, "unsupported_encoding"),
        ),
    ],
)
def test_heads_that_are_refused_before_the_body(headers: dict[str, str], expected: tuple[int, str]) -> None:
    with pytest.raises(Refusal) as caught:
        check_head(Headers(headers), MOST_BYTES, (FORM, RAW))
    assert (caught.value.status, caught.value.code) == expected


def test_the_boundary_may_be_quoted() -> None:
    headers = Headers({"content-length": "5", "content-type": 'multipart/form-data; boundary="a b"'})
    assert check_head(headers, MOST_BYTES, (FORM, RAW)) == (FORM, b"a b")


def test_a_body_below_the_least_pace_is_refused_and_a_slow_reader_of_it_is_not_blamed() -> None:
    async def pieces(pause_s: float) -> AsyncIterator[bytes]:
        for _ in range(20):
            await asyncio.sleep(pause_s)
            yield b"x"

    async def receive(pause_s: float, work_s: float) -> int:
        count = 0
        async for piece in bounded(pieces(pause_s), MOST_BYTES, 60, Arrival(Pace(100_000, 2.0))):
            count += len(piece)
            await asyncio.sleep(work_s)
        return count

    with pytest.raises(Refusal) as caught:
        asyncio.run(receive(0.25, 0))
    assert (caught.value.status, caught.value.code) == (408, "body_timeout")
    assert asyncio.run(receive(0, 0.15)) == 20


def _raw_head(length: int, more: str = "") -> bytes:
    return (
        f"POST /v1/products/cookie/score HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n"
        f"Content-Type: {RAW}\r\n{more}\r\n"
    ).encode()


def test_sixteen_large_bodies_take_no_more_memory_than_their_budget(
    serve: Callable[..., Any], strict_settings: Any, loader: Any
) -> None:
    large, budget = 8 * MIB, 32 * MIB
    limits = {"max_body_bytes": large, "max_upload_bytes": budget, "body_timeout_s": 600.0}
    settings = strict_settings.model_copy(update=limits | {"body_bytes_per_s": 0})
    body = bytes(large - 1)
    with serve(settings, loader) as running, ExitStack() as held:
        shared, clients = running.app.state.shared, []
        tracemalloc.start()
        held.callback(tracemalloc.stop)
        for number in range(16):
            client = held.enter_context(socket.socket())
            client.settimeout(60)
            client.bind((f"127.0.0.{2 + number}", 0))
            client.connect((running.host, running.port))
            client.sendall(_raw_head(large) + body[: MIB // 4])
            clients.append(client)
        until(lambda: shared.upload_bytes.inside == budget, "the budget taken")
        refused = until(lambda: _answered(clients, 12), "an answer for those without a place")
        admitted = [client for client in clients if client not in refused]
        for client in admitted:
            client.sendall(body[MIB // 4 :] + b"x")
        statuses = Counter(client.recv(100)[9:12] for client in clients)
        _, peak = tracemalloc.get_traced_memory()
        until(lambda: shared.upload_bytes.inside == 0, "all bodies let go")
    assert statuses[b"429"] >= 12
    assert peak < budget + 24 * MIB


def _answered(clients: list[socket.socket], count: int) -> list[socket.socket]:
    """Those to which an answer has come, once they are as many; else none."""
    ready, _, _ = select.select(clients, [], [], 0)
    return ready if len(ready) == count else []


def test_a_client_that_asks_before_it_sends_the_body_is_refused_at_once_where_all_places_are_taken(
    serve: Callable[..., Any], strict_settings: Any, loader: Any, form: bytes
) -> None:
    with serve(strict_settings, loader) as running, ExitStack() as held:
        parts = running.app.state.shared.parts
        for _ in range(parts.limit):
            held.enter_context(parts.enter())
        answer = running.raw(_raw_head(1000, "Expect: 100-continue\r\n"))
        assert answer.startswith(b"HTTP/1.1 429")
        assert b"retry-after: " in answer.lower()
