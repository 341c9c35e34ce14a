"""Answers that are sent line by line. The client may be slow or may leave."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import ExitStack

from starlette.requests import ClientDisconnect, Request
from starlette.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from service.http.access import client_of
from service.http.gate import Gate

NDJSON = "application/x-ndjson"
EVENTS = "text/event-stream"
EVERY_S = 0.25
"""How often at most a watcher is told something."""
IDLE_S = 10.0
"""How long at most a watcher hears nothing; also how soon one that has left is noticed."""


class LineStream(StreamingResponse):
    """A streamed answer. The answer ends early if the client leaves or reads nothing for `stall_s` seconds.

    held: resources of the answer, such as a place at a gate. They are released at the end.
    """

    def __init__(
        self,
        lines: AsyncGenerator[str] | AsyncGenerator[bytes],
        *,
        media_type: str,
        stall_s: float,
        held: ExitStack,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(lines, 200, headers, media_type)
        self._lines = lines
        self._stall_s = stall_s
        self._held = held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._held:
            await super().__call__(scope, receive, send)

    async def stream_response(self, send: Send) -> None:
        """Send all lines. Raises ClientDisconnect if the client stalls."""

        async def bounded(message: Message) -> None:
            try:
                async with asyncio.timeout(self._stall_s):
                    await send(message)
            except TimeoutError:
                raise ClientDisconnect from None

        try:
            await super().stream_response(bounded)
        finally:
            await self._lines.aclose()


def held_stream(
    lines: AsyncGenerator[str] | AsyncGenerator[bytes],
    gate: Gate,
    request: Request,
    *,
    media_type: str,
    stall_s: float,
    headers: dict[str, str] | None = None,
) -> LineStream:
    """A stream that holds a place of the gate. Raises Overloaded if the gate has no place for the client."""
    held = ExitStack()
    held.enter_context(gate.enter(client_of(request.scope)))
    return LineStream(lines, media_type=media_type, stall_s=stall_s, held=held, headers=headers)
