"""One part on its way from the bytes of its fields to a result. Every way of asking goes through here."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Executor
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from fastapi import Request, Response
from starlette.requests import ClientDisconnect

from models.sample import Sample, without_returns
from service.answers.renderers import Rendered, Renderer, Scan, scan_headers, server_timing
from service.api.services import Wiring
from service.engine.deadline import Clock
from service.engine.decoding import checked_part_id
from service.engine.gate import Gate
from service.http.access import client_of
from service.http.arrivals import Arrival
from service.http.problems import NotReady, Refusal
from service.http.uploads import announced_bytes
from service.records.results import Once

_T = TypeVar("_T")
_B = TypeVar("_B")


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked of one part. threshold: the request's own, in place of the calibration's. once: the
    request, if it may be sent again."""

    product: str
    part_id: str | None
    threshold: float | None
    clock: Clock
    once: Once | None = None


async def answer_part(
    product: str,
    request: Request,
    services: Wiring,
    clock: Clock,
    receive: Callable[[Arrival], Awaitable[_B]],
    score: Callable[[_B], Coroutine[Any, Any, tuple[Scan, Renderer]]],
) -> Response:
    """Receive one part's body, score it, and answer as its renderer says, within the service's bounds.

    Raises Refusal."""

    async def answer(body: _B) -> tuple[Scan, Rendered, dict[str, float]]:
        waited = await at_hand(product, services, services.loading)
        with services.parts.enter(product):
            scan, render = await score(body)
            started = time.perf_counter()
            rendered = await on_record(scan, render, services)
        encode_ms = (time.perf_counter() - started) * 1000
        return scan, rendered, {**waited, **scan.timings_ms, "encode": encode_ms}

    _refuse_before_the_body(request, services)
    client = client_of(request.scope)
    size = announced_bytes(request.headers, services.upload_limits.body_bytes)
    async with clock.running():
        with services.arrivals.enter(client, {services.upload_bytes: size, services.uploads: 1}) as arrival:
            body = await receive(arrival)
            arrival.leave(services.uploads)
            received_ms = clock.spent_ms
            clock.shorten(services.deadline_s)
            scan, rendered, timings = await _unless_gone(request, answer(body))
    request.state.record.update(noted(scan))
    timings = {"receive": received_ms, **timings}
    for stage in timings.keys() - scan.timings_ms.keys():
        services.metrics.stage(stage, timings[stage])
    timing = server_timing(timings)
    headers = {**scan_headers(scan), **rendered.headers, "Server-Timing": timing}
    return Response(rendered.body, media_type=rendered.media_type, headers=headers)


def _refuse_before_the_body(request: Request, services: Wiring) -> None:
    """Raises Overloaded where the part would find no place in the end: its client asks before it sends the
    body, or more bodies are on their way already than there are places."""
    asks = request.headers.get("expect", "").lower() == "100-continue"
    if services.parts.full and (asks or services.arrivals.in_time(services.uploads) > services.parts.limit):
        raise services.parts.refusal()


def named(request: Request, part_id: str | None) -> str | None:
    """The client's name for the part without blanks around it: from now on the log line and any refusal of
    the request say it. Raises Refusal."""
    checked = None if part_id is None else checked_part_id(part_id)
    request.state.record["part_id"] = checked
    return checked


async def at_hand(product: str, services: Wiring, gate: Gate | None = None) -> dict[str, float]:
    """Wait for the product's bank to be in memory, before a place is taken: a bank that is being loaded must
    keep no part of another product out. gate: bounds those who wait. Returns the milliseconds as the stage
    `load`, or nothing without a wait. Raises Refusal."""
    started = time.perf_counter()
    ready = services.engine.want(product)
    if ready.done():
        return {}
    if gate is not None and gate.inside >= gate.limit:
        raise NotReady("loading", "The product's bank is being loaded, and other parts wait for it already.")
    with nullcontext() if gate is None else gate.enter():
        await asyncio.shield(asyncio.wrap_future(ready))
    return {"load": (time.perf_counter() - started) * 1000}


async def scan_part(ask: Ask, read: Callable[[], Sample], services: Wiring) -> Scan:
    """Score the part that `read` brings, which is heavy. Raises Refusal."""
    started = time.perf_counter()
    try:
        sample = await on_pool(services.decoders, read)
        decode_ms = (time.perf_counter() - started) * 1000
        scored = await services.engine.score(ask.product, sample, deadline=ask.clock.deadline)
    except Refusal as refusal:
        services.metrics.refused(ask.product, refusal.code)
        raise
    timings = {"decode": decode_ms, "queue": scored.queue_ms, **scored.result.timings_ms}
    timings["total"] = (time.perf_counter() - started) * 1000
    # As the version that scored it understands it; only now is it known which one did.
    no_return = scored.detector.manifest.profile.preparation.no_return
    sample = await on_pool(services.encoders, lambda: without_returns(sample, no_return))
    services.metrics.scored(sample, scored, timings)
    if ask.threshold is not None:
        scored = replace(scored, result=scored.result.judged(ask.threshold))
    return Scan(sample, scored, ask.part_id, uuid.uuid4().hex, timings, ask.once)


async def on_record(scan: Scan, render: Callable[[Scan], _T], services: Wiring) -> _T:
    """The part's answer, drawn while its result is put on record; marked there if nobody waits any more.
    Raises Answered, KeyReused."""
    working = asyncio.ensure_future(
        on_pool(services.encoders, lambda: (services.records.keep(scan), render(scan)))
    )

    def unanswered(done: asyncio.Future[Any]) -> None:
        if not done.cancelled() and done.exception() is None:
            services.records.unanswered(scan)

    try:
        kept, rendered = await asyncio.shield(working)
        await services.records.settled(kept)
    except asyncio.CancelledError:
        working.add_done_callback(unanswered)
        raise
    return rendered


def noted(scan: Scan) -> dict[str, Any]:
    """What the log says of a part."""
    result = scan.scored.result
    return {
        "part_id": scan.part_id,
        "result_id": scan.result_id,
        "bank_version": scan.scored.detector.version,
        "score": round(result.score, 6),
        "relative_score": round(result.relative_score, 4),
        "threshold": round(result.threshold, 6),
        "threshold_source": result.threshold_source,
        "decision": result.decision,
        "banks": {bank: round(score, 6) for bank, score in result.bank_scores.items()},
        "regions": len(result.regions),
        "valid_point_share": round(scan.valid_point_share, 4),
        "plane_found": result.prepared.plane_found,
        "timings_ms": {stage: round(ms, 1) for stage, ms in scan.timings_ms.items()},
    }


async def _unless_gone(request: Request, work: Coroutine[Any, Any, _T]) -> _T:
    """The result of `work`, which is cancelled when the client goes away. Raises ClientDisconnect."""
    working = asyncio.create_task(work)
    watching = asyncio.create_task(_gone(request))
    try:
        await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnect
        return working.result()
    finally:
        working.cancel()
        watching.cancel()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def on_pool(pool: Executor, call: Callable[[], _T]) -> _T:
    """A call that is too heavy for the event loop."""
    return await asyncio.get_running_loop().run_in_executor(pool, call)
