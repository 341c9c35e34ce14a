"""POST /v1/products/{product}/score: one part in, one result out."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, TypeVar

from fastapi import APIRouter, Request, Response
from starlette.requests import ClientDisconnect

from service.answers import JSON, RENDERERS, Scan, negotiate, result_headers
from service.parts import check_fields, decode, part_id_of
from service.problems import DeadlinePassed
from service.schemas import ScoreAnswer
from service.uploads import check_head, read_form
from service.wiring import Problems, Services, Wiring

_T = TypeVar("_T")
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_FILE = {"type": "string", "format": "binary"}
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

router = APIRouter()


@router.post(
    "/v1/products/{product}/score",
    response_model=ScoreAnswer,
    responses={
        200: {
            "description": "By the Accept header: JSON, the overlay (image/png), the score map "
            "(application/x-npy) or the coloured cloud (application/ply), with Tribank-* headers.",
            "content": {media_type: _BINARY for media_type in RENDERERS if media_type != JSON},
        }
    }
    | Problems.of(400, 404, 406, 408, 413, 415, 422, 429, 503, 504),
    openapi_extra={"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _FORM}}}},
    tags=["scoring"],
)
async def score_part(product: str, request: Request, services: Services) -> Response:
    """Score one part: an image and an organised point cloud, pixel for pixel."""
    media_type = negotiate(request.headers.get("accept"))
    services.engine.check(product)
    request.state.record["product"] = product
    boundary = check_head(request.headers, services.upload_limits)
    with services.uploads.enter():
        fields = await read_form(request.stream(), boundary, services.upload_limits)
    check_fields(fields)
    work = _Work(product, part_id_of(fields), media_type, services, request.state.record)
    with services.parts.enter():
        return await _unless_gone(request, work.run(fields))


class _Work:
    """One part on its way through decoding, scoring and rendering."""

    def __init__(
        self, product: str, part_id: str | None, media_type: str, services: Wiring, record: dict[str, Any]
    ) -> None:
        self._product = product
        self._part_id = part_id
        self._media_type = media_type
        self._services = services
        self._record = record
        self._deadline = time.monotonic() + services.deadline_s

    async def run(self, fields: dict[str, bytes]) -> Response:
        try:
            async with asyncio.timeout(self._services.deadline_s):
                return await self._run(fields)
        except TimeoutError:
            raise DeadlinePassed from None

    async def _run(self, fields: dict[str, bytes]) -> Response:
        services = self._services
        started = time.perf_counter()
        sample = await _in(services.decoders, lambda: decode(fields, services.read_limits))
        fields.clear()
        decode_ms = (time.perf_counter() - started) * 1000
        scored = await services.engine.score(self._product, sample, deadline=self._deadline)
        timings = {"decode": decode_ms, "queue": scored.queue_ms, **scored.result.timings_ms}
        timings["total"] = (time.perf_counter() - started) * 1000
        scan = Scan(sample, scored, self._part_id, uuid.uuid4().hex, timings)
        self._note(scan)
        body = await _in(services.encoders, lambda: RENDERERS[self._media_type](scan))
        headers = result_headers(scan)
        return Response(body, media_type=self._media_type, headers=headers)

    def _note(self, scan: Scan) -> None:
        """What the log line of this request says of the part."""
        result = scan.scored.result
        self._record.update(
            part_id=scan.part_id,
            result_id=scan.result_id,
            bank_version=scan.scored.detector.version,
            score=round(result.score, 6),
            threshold=round(result.threshold, 6),
            decision=result.decision,
            timings_ms={stage: round(ms, 1) for stage, ms in scan.timings_ms.items()},
        )


async def _in(pool: Executor, call: Callable[[], _T]) -> _T:
    return await asyncio.get_running_loop().run_in_executor(pool, call)


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
