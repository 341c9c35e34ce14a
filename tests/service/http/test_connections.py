"""How many connections a server keeps, and which of them makes way: idle ones cost nobody an answer."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.http.connections import Connections
from tests.faults import few_files
from tests.faults.bench import Served
from tests.faults.warm import Warm
from tests.waiting import until

IDLE = 400


class Client:
    """A connection of `address` that has been idle since then, or has work (None)."""

    def __init__(self, address: str, idle_since: float | None) -> None:
        self.address = address
        self.idle_since = idle_since
        self.open = True

    def make_way(self) -> None:
        self.open = False


def test_the_longest_idle_of_the_address_with_most_connections_makes_way() -> None:
    room = Connections(most=4, share=3)
    few = [Client("b", 1.0)]
    many = [Client("a", 3.0), Client("a", 2.0), Client("a", None)]
    assert all(room.enter(client) for client in few + many)
    assert room.enter(Client("c", 9.0))
    assert [client.open for client in few + many] == [True, True, False, True]
    assert room.count == 4


def test_an_address_with_its_share_takes_room_from_itself_only_and_work_is_never_cut() -> None:
    room = Connections(most=8, share=2)
    other = Client("b", 0.0)
    own = [Client("a", 5.0), Client("a", None)]
    assert all(room.enter(client) for client in (other, *own))
    assert room.enter(Client("a", None))
    assert (other.open, own[0].open, own[1].open) == (True, False, True)
    assert not room.enter(Client("a", 6.0))
    assert room.enter(Client("b", 6.0))


@pytest.fixture
def small_server(tmp_path: Path, warm: Warm) -> Iterator[Served]:
    """`tribank serve` that may open 256 files."""
    (tmp_path / "banks").mkdir()
    serve = ["serve", "--port", "0", "--banks", str(tmp_path / "banks"), "--state", str(tmp_path / "state")]
    hook = f"{few_files.__name__}:{few_files.limit.__name__}"
    command = warm.start(serve, tmp_path / "log", hook=hook)
    url, *_ = until(lambda: re.findall(r"http://127\.0\.0\.1:\d+", command.said.read_text()), "the address")
    yield Served(command, url)
    command.kill()


def test_400_idle_connections_and_256_open_files_keep_no_good_client_out(small_server: Served) -> None:
    log = small_server.command.said
    with ExitStack() as held:
        for number in range(IDLE):
            idle = held.enter_context(socket.socket())
            idle.settimeout(60)
            idle.bind((f"127.0.0.{2 + number % 9}", 0))
            idle.connect(small_server.address)
        for _ in range(5):
            answer = httpx.get(f"{small_server.url}/healthz", trust_env=False, verify=False, timeout=60)
            assert answer.status_code == 200
        assert "many open files" not in log.read_text()
        assert log.read_text().count("\n") < 50


def test_what_has_no_room_is_told_so(
    serve: Callable[..., Any], strict_settings: Any, loader: Any, form: bytes
) -> None:
    settings = strict_settings.model_copy(update={"max_connections_per_address": 2, "body_timeout_s": 60.0})
    head = b"POST /v1/products/cookie/score HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n" % len(form)
    head += b"Content-Type: multipart/form-data; boundary=b\r\n\r\n"
    with serve(settings, loader) as running, ExitStack() as held:
        inside = running.app.state.shared.uploads
        for number in (1, 2):
            busy = held.enter_context(socket.create_connection((running.host, running.port), 20))
            busy.sendall(head + form[:100])
            until(lambda number=number: inside.inside == number, "a body under way")
        answer = running.raw(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 503")
        assert b"retry-after: 2\r\n" in answer
        assert b'"too_many_connections"' in answer


def test_who_was_refused_and_goes_on_sending_keeps_nobody_out(
    serve: Callable[..., Any], strict_settings: Any, loader: Any
) -> None:
    settings = strict_settings.model_copy(update={"max_connections_per_address": 2, "body_timeout_s": 60.0})
    head = b"POST /v1/products/none/score HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n"
    head += b"Content-Type: multipart/form-data; boundary=b\r\n\r\n"
    with serve(settings, loader) as running, ExitStack() as held:
        for _ in range(2):
            busy = held.enter_context(socket.create_connection((running.host, running.port), 20))
            busy.sendall(head)
            assert busy.recv(100).startswith(b"HTTP/1.1 404")
        for _ in range(4):
            answer = running.raw(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 200")
