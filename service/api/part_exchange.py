"""One request that brings one part: its time, its place while the body is received, and its answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Request, Response
from starlette.requests import ClientDisconnect

from service.answers.renderers import Renderer, scan_headers, server_timing
from service.answers.scan import Scan
from service.api.services import SharedObjects
from service.engine.decoding import checked_part_id
from service.http.access import client_of
from service.http.arrivals import Arrival
from service.http.deadline import Clock
from service.http.uploads import announced_bytes


class PartExchange:
    """The steps of a request around the inspection of its part: `arriving`, within it `admitted`, within it
    `answer`."""

    def __init__(self, request: Request, services: SharedObjects, clock: Clock) -> None:
        self._request = request
        self._services = services
        self._clock = clock
        self._timings: dict[str, float] = {}

    def name(self, part_id: str | None) -> str | None:
        """The client's name for the part, without blanks around it.

        From now on the log line and any refusal of the request say the name. Raises Refusal."""
        checked = None if part_id is None else checked_part_id(part_id)
        self._request.state.record["part_id"] = checked
        return checked

    @asynccontextmanager
    async def arriving(self) -> AsyncIterator[Arrival]:
        """Hold the places of a body while the part is received and scored, within the deadline.

        Raises Refusal before the body where the part would find no place in the end."""
        self._refuse_before_the_body()
        services = self._services
        size = announced_bytes(self._request.headers, services.upload_limits.body_bytes)
        places = {services.upload_bytes: size, services.uploads: 1}
        async with self._clock.running():
            with services.arrivals.enter(client_of(self._request.scope), places) as arrival:
                yield arrival

    @asynccontextmanager
    async def admitted(self, product: str, arrival: Arrival) -> AsyncIterator[None]:
        """The body is here: hold a place for scoring, as long as the client is connected. Raises Refusal,
        ClientDisconnect."""
        arrival.leave(self._services.uploads)
        self._timings["receive"] = self._clock.spent_ms
        self._clock.shorten(self._services.inspection.deadline_s)
        async with _while_connected(self._request), self._services.inspection.place(product) as waited:
            self._timings |= waited
            yield

    async def answer(self, scan: Scan, render: Renderer) -> Response:
        """Put the result on record and answer as the renderer draws. Raises Answered, KeyReused."""
        started = time.perf_counter()
        rendered = await self._services.inspection.record(scan, render)
        encoded = {"encode": (time.perf_counter() - started) * 1000}
        self._request.state.record.update(scan.log_fields())
        for stage, milliseconds in (self._timings | encoded).items():
            self._services.metrics.stage(stage, milliseconds)
        timings = {**self._timings, **scan.timings_ms, **encoded}
        self._request.state.stages_ms.update(
            {stage: milliseconds for stage, milliseconds in timings.items() if stage != "total"}
        )
        timing = server_timing(timings)
        headers = {**scan_headers(scan), **rendered.headers, "Server-Timing": timing}
        return Response(rendered.body, media_type=rendered.media_type, headers=headers)

    def _refuse_before_the_body(self) -> None:
        """Raises Overloaded where the client asks before it sends the body, or where more bodies are on their
        way already than there are places."""
        parts, arrivals = self._services.parts, self._services.arrivals
        asks = self._request.headers.get("expect", "").lower() == "100-continue"
        if parts.full and (asks or arrivals.in_time(self._services.uploads) > parts.limit):
            raise parts.refusal()


@asynccontextmanager
async def _while_connected(request: Request) -> AsyncIterator[None]:
    """End the work within when the client goes away. Raises ClientDisconnect."""
    scope = asyncio.timeout(None)

    async def watch() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        scope.reschedule(asyncio.get_running_loop().time())

    try:
        async with scope:
            watching = asyncio.create_task(watch())
            try:
                yield
            finally:
                watching.cancel()
    except TimeoutError:
        if scope.expired():
            raise ClientDisconnect from None
        raise
