"""POST /v1/products/{product}/batch: a zip of parts in; one line a part out, streamed or as a job."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator
from contextlib import ExitStack, aclosing
from functools import partial
from pathlib import Path
from typing import Annotated, BinaryIO

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from structlog.typing import FilteringBoundLogger

from service.archives import PartsArchive
from service.batches import Batch, BatchJob, BatchLimits, input_of
from service.forms import FormReader
from service.job_routes import JobAnswer, accepted
from service.jobs import on_disk
from service.lines import NDJSON, LineStream
from service.problems import Refusal
from service.uploads import FORM, MAX_FIELDS, bounded, check_head, unknown_field
from service.wiring import Problems, Services

ZIP = "application/zip"
FIELD = "parts"
MAX_KEY = 255
_FILE = {"type": "string", "format": "binary", "description": "Zip of a folder of parts."}
_BODY = {
    ZIP: {"schema": _FILE},
    FORM: {"schema": {"type": "object", "required": [FIELD], "properties": {FIELD: _FILE}}},
}


class BatchOptions(BaseModel):
    """What a batch may ask beside its parts: its query."""

    model_config = ConfigDict(extra="forbid")

    threshold: float | None = Field(
        None, allow_inf_nan=False, description="Decide by this threshold, for this request only."
    )


class BatchRoutes:
    """The routes of batches. limits: on their bodies."""

    def __init__(self, limits: BatchLimits, logger: FilteringBoundLogger) -> None:
        self.limits = limits
        self._logger = logger
        self.router = APIRouter(tags=["scoring"])
        self.router.add_api_route(
            "/v1/products/{product}/batch",
            self.score_batch,
            methods=["POST"],
            responses={
                200: {
                    "description": "A JSON object a line: a result, or a problem.",
                    "content": {NDJSON: {}},
                },
                202: {"description": "With Prefer: respond-async: the job.", "model": JobAnswer},
            }
            | Problems.of(400, 404, 408, 409, 413, 415, 422, 429, 503, 507),
            response_class=Response,
            openapi_extra={"requestBody": {"required": True, "content": _BODY}},
        )

    async def score_batch(
        self, product: str, request: Request, services: Services, options: Annotated[BatchOptions, Query()]
    ) -> Response:
        """Score a zip of parts: a line a part as it comes, in order; or a job, with Prefer: respond-async."""
        services.engine.check(product)
        request.state.record["product"] = product
        with ExitStack() as held:
            held.enter_context(services.batches.enter())
            folder = held.enter_context(services.jobs.store.receiving())
            digest = await self._receive(request, input_of(folder))
            archive = await on_disk(lambda: PartsArchive(input_of(folder), self.limits.archive))
            held.callback(archive.close)
            if _wants_job(request):
                job = await services.jobs.submit(
                    BatchJob.name,
                    product,
                    options.model_dump(exclude_none=True),
                    folder=folder,
                    key=_key(request, product),
                    digest=f"{digest} {options.threshold}",
                )
                return accepted(job, services.jobs)
            batch = Batch(product, archive, options.threshold, request.state.request_id)
            lines = batch.lines(services, self._logger)
            return LineStream(_ended(lines), media_type=NDJSON, stall_s=services.stall_s, held=held.pop_all())

    async def _receive(self, request: Request, file: Path) -> str:
        """Put the body's zip into `file`; returns its SHA-256. Raises Refusal."""
        media_type, boundary = check_head(request.headers, self.limits.body_bytes, (ZIP, FORM))
        try:
            with file.open("wb") as raw:
                sink = ZipField(raw)
                reader = FormReader(boundary, sink, most_fields=MAX_FIELDS)
                take = reader.feed if media_type == FORM else sink.take
                async for chunk in bounded(request.stream(), self.limits.body_bytes, self.limits.timeout_s):
                    await on_disk(partial(take, chunk))
                if media_type == FORM:
                    reader.finish()
        except OSError:
            detail = "The service has no room for this batch. Tell its operator."
            raise Refusal(507, "no_disk", detail) from None
        if not sink.size:
            raise Refusal(422, "missing_field", f"The field {FIELD} is missing or empty.", part=FIELD)
        return sink.digest.hexdigest()


class ZipField:
    """Where the one field of a batch's form goes; also takes a body that is the zip alone."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._opened = False
        self.size = 0
        self.digest = hashlib.sha256()

    def open(self, name: str) -> None:
        """A field begins. Raises Refusal for another name, or the same again."""
        if name != FIELD:
            raise unknown_field((FIELD,))
        if self._opened:
            raise Refusal(
                400, "repeated_field", f"The field {FIELD} is there twice. Send it once.", part=FIELD
            )
        self._opened = True

    def take(self, piece: bytes) -> None:
        """More of the zip. Raises OSError."""
        self._file.write(piece)
        self.digest.update(piece)
        self.size += len(piece)

    def close(self) -> None:
        """The field is whole."""


async def _ended(texts: AsyncGenerator[str]) -> AsyncGenerator[str]:
    """Each text with a line's end."""
    async with aclosing(texts):
        async for text in texts:
            yield f"{text}\n"


def _wants_job(request: Request) -> bool:
    """Whether the client prefers an answer at once and the work later (RFC 7240)."""
    wishes = ",".join(request.headers.getlist("prefer")).split(",")
    return "respond-async" in {wish.partition(";")[0].strip().lower() for wish in wishes}


def _key(request: Request, product: str) -> str | None:
    """The client's Idempotency-Key, of this product's batches only. Raises Refusal."""
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    if not 1 <= len(key) <= MAX_KEY or not key.isprintable():
        detail = f"An Idempotency-Key is 1 to {MAX_KEY} printable characters."
        raise Refusal(400, "invalid_idempotency_key", detail)
    return f"{BatchJob.name}/{product}/{key}"
