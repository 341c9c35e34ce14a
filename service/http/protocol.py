"""The HTTP/1.1 connection with bounds: how many there may be, how long and how large a request's head may be,
and how long an answer may lie.

httptools refuses malformed requests (also Content-Length beside Transfer-Encoding), but would take an
endless head for as long as the client likes, and keep an answer that nobody reads until the client is gone.
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

_MALFORMED = Refusal(400, "malformed_http", "The request is not valid HTTP/1.1. Check the client or proxy.")
_TARGET_TOO_LONG = Refusal(414, "target_too_long", "The request's address is too long.")
_HEAD_TOO_LARGE = Refusal(
    431, "head_too_large", "The request's headers are too large. Send fewer or shorter."
)
_HEAD_TOO_SLOW = Refusal(408, "head_timeout", "The request's headers did not arrive in time. Send it again.")
_NO_ROOM = Refusal(
    503,
    "too_many_connections",
    "The service has as many connections as it may. Close those that you do not need, and come again.",
    headers={"Retry-After": "2"},
)
_LINGER_S = 1.0
"""How long a refused connection stays open for its client to read why."""
_LOOKS = 4
"""How often it is looked, within `stall_s`, whether a client takes its answer."""


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's httptools protocol with a limit on the head and problem+json for what it refuses itself;
    it is cut when the client takes nothing of an answer for `stall_s`."""

    max_head_bytes = 32 * 1024
    head_timeout_s = 10.0
    stall_s = 30.0
    last_head_s = 2.0
    """How long a head that is expected may still come when the service stops."""
    room: Connections

    _refused = False
    _idle_since = 0.0
    _in_head = True
    _messages = 0
    _received_bytes = 0  # of a head that is not yet complete, by packets
    _parsed_bytes = 0  # of the head, by its lines
    _head_timer: asyncio.TimerHandle | None = None
    _refusal: Refusal | None = None
    _untaken_bytes = 0
    _taken_at = 0.0  # when the client last took some of them, on the loop's clock
    _stall_timer: asyncio.TimerHandle | None = None
    _linger_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        super().connection_made(transport)
        self._idle_since = self.loop.time()
        if self.room.enter(self):
            self._expect_head()
        else:
            self._turn_away()

    @property
    def address(self) -> str:
        """The client's, without its port."""
        return self.client[0] if self.client else ""

    @property
    def idle_since(self) -> float | None:
        """When the last answer ended, or the connection was made; None while there is a request, or an answer
        that the client has not wholly taken. What a refused client still sends is no request."""
        answering = self.cycle is not None and not self.cycle.response_complete
        if answering and "lingers" in self.cycle.scope.get("state", {}):
            answering = False
        return None if answering or self.transport.get_write_buffer_size() else self._idle_since

    def make_way(self) -> None:
        """Close an idle connection. One that never had an answer is told why."""
        if self.cycle is None:
            self._write_refusal(_NO_ROOM)
        self.transport.close()

    def shutdown(self) -> None:
        """The service stops. A request that is on its way already is told so; closed at once, the connection
        would leave its client without a word."""
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
        self._watch_the_client()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._idle_since = self.loop.time()
        self._watch_the_client()

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
        """Refuse what never became a request, and close. Never a second answer for one request."""
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
        more = "".join(f"{name.lower()}: {value}\r\n" for name, value in refusal.headers.items())
        head = (
            f"HTTP/1.1 {refusal.status} {body_title(refusal)}\r\ncontent-type: {MEDIA_TYPE}\r\n{more}"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)

    def _turn_away(self) -> None:
        """No room: answer before anything is asked, and close when the client had time to read it."""
        self._refused = True
        if self.room.to_be_told(self.loop.time()):
            self.logger.warning(f"too_many_connections: {self.room.count} are open and have work.")
        self._write_refusal(_NO_ROOM)
        if self.room.lingering >= LINGERING:
            self.transport.close()
            return
        self.room.lingering += 1
        self.transport.write_eof()
        self._linger_timer = self.loop.call_later(_LINGER_S, self.transport.abort)

    def _watch_the_client(self) -> None:
        """From now on until all is sent: also of a connection that is closed, which waits for that."""
        if self.transport.get_write_buffer_size() and self._stall_timer is None:
            self._untaken_bytes, self._taken_at = self._untaken(), self.loop.time()
            self._stall_timer = self.loop.call_later(self.stall_s / _LOOKS, self._look_at_the_client)

    def _look_at_the_client(self) -> None:
        self._stall_timer = None
        if not self.transport.get_write_buffer_size():
            return
        untaken, now = self._untaken(), self.loop.time()
        if untaken != self._untaken_bytes:
            self._untaken_bytes, self._taken_at = untaken, now
        if now - self._taken_at >= self.stall_s:
            self.transport.abort()
            return
        self._stall_timer = self.loop.call_later(self.stall_s / _LOOKS, self._look_at_the_client)

    def _untaken(self) -> int:
        """Bytes that the client has not yet: ours, and the kernel's, which takes ours in leaps of a megabyte
        that a slow link may need minutes for."""
        descriptor = self.transport.get_extra_info("socket").fileno()
        (kernels,) = struct.unpack("i", fcntl.ioctl(descriptor, termios.TIOCOUTQ, bytes(4)))
        return self.transport.get_write_buffer_size() + kernels

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
    """The connection class with this server's limits (uvicorn takes a class and makes the objects)."""
    bounds: dict[str, Any] = {
        "max_head_bytes": settings.max_head_bytes,
        "head_timeout_s": settings.head_timeout_s,
        "stall_s": settings.stall_s,
        "room": bound_of(settings),
    }
    return type("ServerProtocol", (BoundedProtocol,), bounds)
