"""/v1/results/events: results as they are put on record."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import Field

from service.api.results import ResultFilter, ResultSummary
from service.api.services import Problems, Services
from service.http.streams import EVENTS, EVERY_S, IDLE_S, held_stream
from service.threads import on_disk

_PAGE = 100


class EventQuery(ResultFilter):
    """Which results, and from where on."""

    after: int | None = Field(
        None,
        ge=0,
        lt=2**62,
        description="Begin with the results after the event with this `id`. Default: with those from now on.",
        examples=[1200],
    )


router = APIRouter(tags=["results"])


@router.get(
    "/v1/results/events",
    responses={
        200: {
            "description": "An event `result` for each result. Its data is a ResultSummary.",
            "content": {EVENTS: {"schema": {"type": "string"}}},
        }
    }
    | Problems.of(422, 429, 503, 507),
    response_class=Response,
)
async def watch_results(
    request: Request,
    services: Services,
    query: Annotated[EventQuery, Query()],
    last_event_id: Annotated[
        int | None,
        Header(ge=0, lt=2**62, description="As `after`, which it replaces.", examples=[1200]),
    ] = None,
) -> Response:
    """Each result as it is put on record, as server-sent events, until the client leaves.

    A client that was cut off names the last event that it has (`after`, or the header Last-Event-ID, which
    browsers send), and misses no result.
    """
    records, asked = services.records, query.asked(request)
    known = query.after if last_event_id is None else last_event_id
    first = await on_disk(records.store.last_number) if known is None else known

    async def told() -> AsyncGenerator[str]:
        yield f": results\nid: {first}\n\n"  # so that a client that is cut off before an event has an id
        number, seen, quiet_s = first, -1, 0.0
        while not services.leaving:
            if records.store.news == seen:
                await asyncio.sleep(EVERY_S)
                quiet_s += EVERY_S
                if quiet_s >= IDLE_S:
                    yield ": still there\n\n"
                    quiet_s = 0.0
                continue
            seen = records.store.news  # before the rows are read, so that none is missed
            while page := await on_disk(partial(records.store.following, asked, after=number, limit=_PAGE)):
                number = page[-1].number
                yield "".join(
                    f"id: {kept.number}\nevent: result\ndata: {ResultSummary.of(kept).model_dump_json()}\n\n"
                    for kept in page
                )

    return held_stream(told(), services.watchers, request, media_type=EVENTS, stall_s=services.stall_s)
