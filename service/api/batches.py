"""POST /v1/products/{product}/batch: a zip of parts in; one line a part out, streamed or as a job."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import ExitStack, aclosing
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from structlog.typing import FilteringBoundLogger

from service.answers.renderers import JSON, negotiate
from service.answers.schemas import BatchLine
from service.api.jobs import JobAnswer, accepted
from service.api.names import ProductName
from service.api.repeats import IdempotencyKey, scoped_key
from service.api.services import Problems, Services
from service.api.zip_upload import ZIP_BODIES, ZipLimits, receive_zip
from service.engine.labels import EXAMPLE, MOST_TEXT, labels_of
from service.http.access import client_of, key_name
from service.http.bodies import lines_of
from service.http.headers import OF_JOBS, described, joined
from service.http.queries import QueryModel, refuse_key
from service.http.streams import NDJSON, LineStream
from service.jobs.archive import FILE, PartsArchive
from service.jobs.batch import Batch, BatchJob
from service.threads import on_disk

_PREFER = {
    "name": "Prefer",
    "in": "header",
    "required": False,
    "description": "respond-async: the answer is a job (RFC 7240). Other preferences are ignored.",
    "schema": {"type": "string"},
    "examples": {"job": {"value": "respond-async"}},
}
"""For the document: a client may prefer an answer at once and the work later."""


class BatchOptions(QueryModel):
    """What a batch may ask beside its parts: its query."""

    labels: str | None = Field(
        None,
        max_length=MOST_TEXT,
        description="Up to eight labels of every part, for the record: name:value, separated by commas.",
        examples=[EXAMPLE],
    )
    threshold: float | None = Field(
        None,
        allow_inf_nan=False,
        description="Decide with this threshold, for this request only.",
        examples=[2.5],
    )


class BatchRoutes:
    """The routes of batches. limits: on their bodies."""

    def __init__(self, limits: ZipLimits, logger: FilteringBoundLogger) -> None:
        self.limits = limits
        self._logger = logger
        self.router = APIRouter(tags=["scoring"])
        self.router.add_api_route(
            "/v1/products/{product}/batch",
            self.score_batch,
            methods=["POST"],
            responses={
                200: {
                    "description": "One BatchLine for each part, in the order of the parts.",
                    "content": {NDJSON: lines_of(BatchLine)},
                },
                202: {
                    "description": "With Prefer: respond-async: the job.",
                    "model": JobAnswer,
                    "headers": described(*OF_JOBS),
                },
            }
            | Problems.of(400, 404, 406, 408, 409, 413, 415, 422, 429, 503, 507),
            response_class=Response,
            openapi_extra={
                "parameters": [_PREFER],
                "requestBody": {"required": True, "content": ZIP_BODIES},
            },
        )

    async def score_batch(
        self,
        product: ProductName,
        request: Request,
        services: Services,
        options: Annotated[BatchOptions, Query()],
        key: IdempotencyKey = None,
    ) -> Response:
        """Score a zip of parts.

        The answer has one line for each part, in the order of the zip. Each line is sent as soon as its part
        is scored. With `Prefer: respond-async` the answer is a job.
        """
        services.engine.check(product)
        request.state.record["product"] = product
        labels = labels_of(options.labels)
        wants_job = _wants_job(request)
        if not wants_job:
            refuse_key(key, "supported only with Prefer: respond-async. Add Prefer, or remove the key.")
        negotiate(joined(request.headers, "accept"), [JSON if wants_job else NDJSON])
        with ExitStack() as held:
            entered = services.arrivals.enter(client_of(request.scope), {services.batches: 1})
            arrival = held.enter_context(entered)
            folder = held.enter_context(services.jobs.store.receiving())
            file = folder / FILE
            digest = await receive_zip(request, file, self.limits, arrival)
            archive = await on_disk(lambda: PartsArchive(file, self.limits.archive))
            held.callback(archive.close)
            if wants_job:
                job = await services.jobs.submit(
                    BatchJob.name,
                    product,
                    options.model_dump(exclude_none=True),
                    folder=folder,
                    key=scoped_key(request, BatchJob.name, product, key),
                    digest=" ".join(filter(None, (digest, str(options.threshold), options.labels))),
                    owner=key_name(request.scope),
                )
                return accepted(job, services.jobs)
            batch = Batch(product, archive, options.threshold, request.state.request_id, labels=labels)
            lines = batch.lines(services.inspection, self._logger)
            return LineStream(_ended(lines), media_type=NDJSON, stall_s=services.stall_s, held=held.pop_all())


async def _ended(texts: AsyncGenerator[str]) -> AsyncGenerator[str]:
    """Each text with a line's end."""
    async with aclosing(texts):
        async for text in texts:
            yield f"{text}\n"


def _wants_job(request: Request) -> bool:
    """Whether the client prefers an answer at once and the work later (RFC 7240)."""
    wishes = joined(request.headers, "prefer").split(",")
    return "respond-async" in {wish.partition(";")[0].strip().lower() for wish in wishes}
