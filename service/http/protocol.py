"""The HTTP/1.1 connection, with bounds.

Bounded are the number of connections, the size and the time of a request's head, and the time in which the
client reads nothing of its answer. httptools refuses malformed requests, also those with both Content-Length
and Transfer-Encoding, but bounds neither the head nor an answer that the client does not read.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import struct
import termios
import uuid
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from service.http.connections import LINGERING, Connections, bound_of
from service.http.problems import MEDIA_TYPE, body_of
from service.refusals import Refusal
from service.settings import Settings

_MALFORMED = Refusal(
    400, "malformed_http", "The request is not valid HTTP/1.1. Check the client and its proxy."
)
_TARGET_TOO_LONG = Refusal(
    414, "target_too_long", "The address of the request is too long. Send a shorter address."
)
_HEAD_TOO_LARGE = Refusal(
    431, "head_too_large", "The headers of the request are too large. Send fewer or shorter headers."
)
_HEAD_TOO_SLOW = Refusal(408, "head_timeout", "The headers did not arrive in time. Send the request again.")
_NO_ROOM = Refusal(
    503,
    "too_many_connections",
    "The server has too many connections. Close idle connections and try again.",
    headers={"Retry-After": "2"},
)
_LINGER_S = 1.0
"""How long a refused connection stays open, so that its client reads the refusal."""
_CHECKS = 4
"""How often within `stall_s` the server checks whether a client reads its answer."""


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's httptools protocol with bounds, and with refusals as problem+json.

    A connection is closed if its client reads nothing of an answer for `stall_s` seconds.
    """

    max_head_bytes = 32 * 1024
    head_timeout_s = 10.0
    stall_s = 30.0
    last_head_s = 2.0
    """How long an expected head may still arrive after the server begins to stop, in seconds."""
    room: Connections

    _refused = False
    _idle_since = 0.0
    _in_head = True
    _messages = 0
    _received_bytes = 0  # of an incomplete head, counted by packets
    _parsed_bytes = 0  # of the head, counted by lines
    _head_timer: asyncio.TimerHandle | None = None
    _refusal: Refusal | None = None
    _unread_bytes = 0
    _read_at = 0.0  # when the client last read some of the bytes, on the loop's clock
    _stall_timer: asyncio.TimerHandle | None = None
    _linger_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        super().connection_made(transport)
        self._idle_since = self.loop.time()
        if self.room.enter(self):
            self._expect_head()
        else:
            self._refuse_connection()

    @property
    def address(self) -> str:
        """The address of the client, without its port."""
        return self.client[0] if self.client else ""

    @property
    def idle_since(self) -> float | None:
        """When the last answer ended or the connection was made; None while a request is in progress.

        A request is in progress until its client has read the whole answer. The rest of a refused request
        does not count.
        """
        answering = self.cycle is not None and not self.cycle.response_complete
        if answering and "lingers" in self.cycle.scope.get("state", {}):
            answering = False
        return None if answering or self.transport.get_write_buffer_size() else self._idle_since

    def make_way(self) -> None:
        """Close an idle connection. A connection without any answer so far gets a refusal first."""
        if self.cycle is None:
            self._write_refusal(_NO_ROOM)
        self.transport.close()

    def shutdown(self) -> None:
        """The server stops. A request whose head is still arriving gets an answer before the end."""
        if self._head_timer is None or self.idle_since is None:
            super().shutdown()
        else:
            self.loop.call_later(self.last_head_s, super().shutdown)

    def connection_lost(self, exc: Exception | None) -> None:
        self.room.leave(self)
        if self._linger_timer is not None:
            self._linger_timer.cancel()
            self.room.lingering -= 1
        self._head_arrived()
        if self._stall_timer is not None:
            self._stall_timer.cancel()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch_client()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._idle_since = self.loop.time()
        self._watch_client()

    def data_received(self, data: bytes) -> None:
        if self._refused or self.transport.is_closing():
            return
        if self._head_timer is None and self._in_head:
            self._expect_head()
        messages = self._messages
        super().data_received(data)
        if self._in_head and self._messages == messages and not self.transport.is_closing():
            self._received_bytes += len(data)
            if self._received_bytes > self.max_head_bytes:
                self._refusal = _HEAD_TOO_LARGE
                self.send_400_response("")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head, self._received_bytes, self._parsed_bytes = True, 0, 0

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > self.max_head_bytes:
            self._refusal = _TARGET_TOO_LONG
            raise ValueError("target")

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        self._parsed_bytes += len(name) + len(value) + 4
        if self._parsed_bytes > self.max_head_bytes:
            self._refusal = _HEAD_TOO_LARGE
            raise ValueError("head")

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._head_arrived()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._in_head = True
        self._messages += 1

    def send_400_response(self, msg: str) -> None:
        """Refuse a request that cannot be parsed, and close. A request never gets two answers."""
        refusal, self._refusal = self._refusal or _MALFORMED, None
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            if self.cycle.response_started:
                self.transport.close()
                return
        self._write_refusal(refusal)
        self.transport.close()

    def _write_refusal(self, refusal: Refusal) -> None:
        body = json.dumps(body_of(refusal, uuid.uuid4().hex)).encode()
        fields = "".join(f"{name.lower()}: {value}\r\n" for name, value in refusal.headers.items())
        head = (
            f"HTTP/1.1 {refusal.status} {body_title(refusal)}\r\ncontent-type: {MEDIA_TYPE}\r\n{fields}"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)

    def _refuse_connection(self) -> None:
        """Refuse a connection that finds no place. Close once its client had time to read the refusal."""
        self._refused = True
        if self.room.log_due(self.loop.time()):
            self.logger.warning(
                f"too_many_connections: {self.room.count} connections are open and none is idle."
            )
        self._write_refusal(_NO_ROOM)
        if self.room.lingering >= LINGERING:
            self.transport.close()
            return
        self.room.lingering += 1
        if self.transport.can_write_eof():  # not so with TLS
            self.transport.write_eof()
        self._linger_timer = self.loop.call_later(_LINGER_S, self.transport.abort)

    def _watch_client(self) -> None:
        """Check the client until it has read everything, also on a connection that waits for its end."""
        if self.transport.get_write_buffer_size() and self._stall_timer is None:
            self._unread_bytes, self._read_at = self._count_unread(), self.loop.time()
            self._stall_timer = self.loop.call_later(self.stall_s / _CHECKS, self._check_client)

    def _check_client(self) -> None:
        self._stall_timer = None
        if not self.transport.get_write_buffer_size():
            return
        unread, now = self._count_unread(), self.loop.time()
        if unread != self._unread_bytes:
            self._unread_bytes, self._read_at = unread, now
        if now - self._read_at >= self.stall_s:
            self.transport.abort()
            return
        self._stall_timer = self.loop.call_later(self.stall_s / _CHECKS, self._check_client)

    def _count_unread(self) -> int:
        """Bytes that the client has not received yet.

        Bytes in the kernel's buffer count too: the kernel takes megabytes at once, and a slow connection may
        need minutes for them."""
        descriptor = self.transport.get_extra_info("socket").fileno()
        (in_kernel,) = struct.unpack("i", fcntl.ioctl(descriptor, termios.TIOCOUTQ, bytes(4)))
        return self.transport.get_write_buffer_size() + in_kernel

    def _expect_head(self) -> None:
        self._head_timer = self.loop.call_later(self.head_timeout_s, self._head_is_late)

    def _head_arrived(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_is_late(self) -> None:
        self._head_timer = None
        waiting = self.cycle is not None and not self.cycle.response_complete
        if self._in_head and not waiting and not self.transport.is_closing():
            self._refusal = _HEAD_TOO_SLOW
            self.send_400_response("")


def body_title(refusal: Refusal) -> str:
    """The reason phrase of a refusal's status."""
    return str(body_of(refusal, "")["title"])


def protocol_for(settings: Settings) -> type[HttpToolsProtocol]:
    """The connection class with this server's limits. uvicorn takes a class and makes the objects."""
    bounds: dict[str, Any] = {
        "max_head_bytes": settings.max_head_bytes,
        "head_timeout_s": settings.head_timeout_s,
        "stall_s": settings.stall_s,
        "room": bound_of(settings),
    }
    return type("ServerProtocol", (BoundedProtocol,), bounds)
