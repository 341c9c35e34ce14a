"""POST /v1/products/{product}/score: one part in, one result out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import ClientDisconnect

from service.answers import JSON, RENDERERS, Rendered, Scan, negotiate, result_headers, server_timing
from service.deadline import Clock
from service.parts import MAX_PART_ID, check_fields, part_id_of
from service.scanning import Ask, noted, on_pool, scan_part
from service.schemas import ScoreAnswer
from service.uploads import FORM, RAW, receive_fields
from service.wiring import Problems, Services, Wiring

_T = TypeVar("_T")
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_FILE = {"type": "string", "format": "binary"}
_RAW = _FILE | {"description": "The NPZ sample alone: the fast path. Its part_id is in the query."}
_FORM = {
    "type": "object",
    "properties": {
        "rgb": _FILE | {"description": "Image: PNG, JPEG or TIFF."},
        "xyz": _FILE | {"description": "Organised cloud, metres: TIFF, PLY, PCD or NPY. Alone if coloured."},
        "depth": _FILE | {"description": "Depth map instead of xyz: 16-bit PNG, TIFF or NPY."},
        "intrinsics": {
            "type": "string",
            "description": "JSON, with depth: fx, fy, cx, cy in pixels; depth_scale in metres a unit.",
            "examples": ['{"fx": 525, "fy": 525, "cx": 319.5, "cy": 239.5, "depth_scale": 0.001}'],
        },
        "sample": _FILE | {"description": "NPZ with rgb and xyz instead of all the above."},
        "part_id": {"type": "string", "minLength": 1, "maxLength": 128, "examples": ["board-000123"]},
    },
}


class ScoreOptions(BaseModel):
    """What a request may ask beside the part: its query."""

    model_config = ConfigDict(extra="forbid")

    part_id: str | None = Field(
        None, min_length=1, max_length=MAX_PART_ID, description="As the form's field, for a raw body."
    )
    threshold: float | None = Field(
        None, allow_inf_nan=False, description="Decide by this threshold, for this request only."
    )
    deadline_ms: int | None = Field(
        None,
        ge=1,
        le=3_600_000,
        description="From the request's arrival; then 504, never a late answer.",
    )


router = APIRouter()


@router.post(
    "/v1/products/{product}/score",
    response_model=ScoreAnswer,
    responses={
        200: {
            "description": "By the Accept header: JSON, the overlay (image/png), the score map (16-bit grey: "
            "image/png;depth=16, raw: image/tiff or application/x-npy), the cloud (application/ply), "
            "or JSON and overlay (multipart/mixed); with Tribank-* and Server-Timing headers.",
            "content": {media_type: _BINARY for media_type in RENDERERS if media_type != JSON},
        }
    }
    | Problems.of(400, 404, 406, 408, 413, 415, 422, 429, 503, 504),
    openapi_extra={
        "requestBody": {"required": True, "content": {FORM: {"schema": _FORM}, RAW: {"schema": _RAW}}}
    },
    tags=["scoring"],
)
async def score_part(
    product: str, request: Request, services: Services, options: Annotated[ScoreOptions, Query()]
) -> Response:
    """Score one part: an image and an organised point cloud, pixel for pixel."""
    clock = Clock(options.deadline_ms)
    media_type = negotiate(request.headers.get("accept"))
    services.engine.check(product)
    request.state.record["product"] = product
    async with clock.running():
        with services.uploads.enter():
            fields = await receive_fields(request, services.upload_limits)
        check_fields(fields)
        ask = Ask(product, part_id_of(fields, options.part_id), options.threshold, clock)
        received_ms = clock.spent_ms
        clock.shorten(services.deadline_s)
        with services.parts.enter():
            scan, rendered, encode_ms = await _unless_gone(
                request, _answer(ask, fields, media_type, services)
            )
    request.state.record.update(noted(scan))
    services.metrics.stage("receive", received_ms)
    services.metrics.stage("encode", encode_ms)
    timing = server_timing({"receive": received_ms, **scan.timings_ms, "encode": encode_ms})
    headers = {**result_headers(scan), **rendered.headers, "Server-Timing": timing}
    return Response(rendered.body, media_type=rendered.media_type, headers=headers)


async def _answer(
    ask: Ask, fields: dict[str, bytes], media_type: str, services: Wiring
) -> tuple[Scan, Rendered, float]:
    scan = await scan_part(ask, fields, services)
    started = time.perf_counter()
    rendered = await on_pool(services.encoders, lambda: RENDERERS[media_type](scan))
    return scan, rendered, (time.perf_counter() - started) * 1000


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
