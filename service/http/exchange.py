"""What every request gets on every route: a request id, a trace, safe headers, a log line, a proper 500."""

from __future__ import annotations

import asyncio
import re
import time
import uuid
from collections.abc import Mapping
from typing import Any, Protocol

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.typing import FilteringBoundLogger

from service.http.problems import respond
from service.http.trace_context import RESPONSE, Trace
from service.refusals import INTERNAL

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")
_ALIVE = "/healthz"
_QUIET = (_ALIVE, "/readyz", "/metrics", "/v2/health/live", "/v2/health/ready")
LINGER_S = 2.0
"""How long the rest of a refused request is read, so that its client reads the answer and not a reset."""


class Counts(Protocol):
    """Counts answers."""

    def exchanged(
        self, *, method: str, route: str, status: int, seconds: float, code: str | None
    ) -> None: ...


class Spans(Protocol):
    """Takes the spans of requests."""

    def exchanged(
        self,
        trace: Trace,
        *,
        record: Mapping[str, Any],
        stages_ms: Mapping[str, float],
        ended_ns: int,
        seconds: float,
    ) -> None: ...


class Guard:
    """ASGI middleware around the whole application."""

    def __init__(
        self, app: ASGIApp, logger: FilteringBoundLogger, metrics: Counts, spans: Spans | None = None
    ) -> None:
        self._app = app
        self._logger = logger
        self._metrics = metrics
        self._spans = spans

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = Exchange(scope, receive, send, spans=self._spans is not None)
        if scope["method"] == "HEAD":  # answered with the head of the answer to GET
            scope = {**scope, "method": "GET"}
        started = time.perf_counter()
        try:
            await self._app(scope, exchange.receive, exchange.send)
        except ClientDisconnect:
            exchange.status = 499
        except Exception:
            # The client gets a plain 500. The traceback goes to the log.
            self._logger.exception("internal", request_id=exchange.request_id)
            if exchange.status is None:
                await respond(INTERNAL, scope)(scope, exchange.receive, exchange.send)
        finally:
            self._log(scope, exchange, time.perf_counter() - started)

    def _log(self, scope: Scope, exchange: Exchange, seconds: float) -> None:
        record, status = exchange.record, 499 if exchange.status is None else exchange.status
        route = getattr(scope.get("route"), "path", "none")  # none: the request was refused before routing
        self._metrics.exchanged(
            method=record["method"],
            route=route,
            status=status,
            seconds=seconds,
            code=record.get("code"),
        )
        if scope["path"] not in _QUIET:
            record |= {"route": route, "client": (scope.get("client") or ("",))[0]}
            record |= {"status": status, "bytes_in": exchange.bytes_in}
            record |= {"total_ms": round(seconds * 1000, 1)}
            self._logger.info("request", request_id=exchange.request_id, **record)
            if self._spans is not None and exchange.trace is not None:
                self._spans.exchanged(
                    exchange.trace,
                    record=record,
                    stages_ms=exchange.stages_ms,
                    ended_ns=time.time_ns(),
                    seconds=seconds,
                )


class Exchange:
    """One request and its response.

    record: the fields of the log line (also `request.state.record`); routes add fields.
    stages_ms: milliseconds of each stage of the request's part (also `request.state.stages_ms`); routes add
    stages.
    trace: the caller's trace; a new one if spans are sent; None otherwise.
    status: status of the answer; None before the answer starts.
    bytes_in: bytes of the body that were read.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send, *, spans: bool) -> None:
        self._headers = Headers(scope=scope)
        given = self._headers.get("x-request-id", "")
        self.request_id = given if _REQUEST_ID.match(given) else uuid.uuid4().hex
        self.record: dict[str, Any] = {"method": scope["method"]}
        self.stages_ms: dict[str, float] = {}
        self.trace = Trace.of(self._headers.getlist("traceparent")) or (Trace.new() if spans else None)
        if self.trace is not None:
            self.record |= {"trace_id": self.trace.trace_id, "span_id": self.trace.span_id}
        self.status: int | None = None
        self.bytes_in = 0
        self._receive = receive
        self._send = send
        self._spans = spans
        # A page of several servers learns by /healthz whether one is there that does not allow the page.
        self._policy = "cross-origin" if scope["path"] == _ALIVE else "same-origin"
        self._head_only = scope["method"] == "HEAD"
        self._body_ended = not self._announces_body()
        self._state: dict[str, Any] = scope.setdefault("state", {})
        self._state.update(request_id=self.request_id, record=self.record, stages_ms=self.stages_ms)

    async def receive(self) -> Message:
        message = await self._receive()
        self.bytes_in += len(message.get("body", b""))
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            self._body_ended = True
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["X-Request-ID"] = self.request_id
            if self.trace is not None:
                headers[RESPONSE] = self.trace.response(sent=self._spans)
            headers["X-Content-Type-Options"] = "nosniff"
            headers["Cross-Origin-Resource-Policy"] = self._policy
            headers.setdefault("Cache-Control", "no-store")
            if not self._body_ended:
                headers["Connection"] = "close"
            if self._head_only:  # ends the answer, so that a stream stops
                await self._send(message)
                message = {"type": "http.response.body", "body": b""}
        elif self._head_only:
            return
        elif not self._body_ended and not message.get("more_body", False):
            await self._send({**message, "more_body": True})
            await self._linger()
            message = {"type": "http.response.body", "body": b""}
        await self._send(message)

    async def _linger(self) -> None:
        """Read what the client still sends, for at most LINGER_S seconds."""
        if "expect" in self._headers:
            return  # the client waits for "100 Continue" before it sends the body, and has the answer now
        self._state["lingers"] = True  # another connection may take the place of this connection
        try:
            async with asyncio.timeout(LINGER_S):
                while not self._body_ended:
                    await self.receive()
        except TimeoutError:
            return

    def _announces_body(self) -> bool:
        return self._headers.get("content-length", "0") != "0" or "transfer-encoding" in self._headers
