"""/v1/jobs: watching, cancelling and collecting what outlives its request."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from service.answers.schemas import BatchLine
from service.api.audit import note_change
from service.api.names import JobId
from service.api.services import Problems, Services, SharedObjects
from service.api.tables import PageQuery
from service.http.access import check_owner, may_see, products_of
from service.http.bodies import lines_of
from service.http.headers import joined
from service.http.queries import QueryModel
from service.http.streams import EVENTS, EVERY_S, IDLE_S, NDJSON, held_stream
from service.jobs.queue import Jobs, unknown_job
from service.jobs.store import Job, State
from service.refusals import Refusal
from service.threads import on_disk

_PAGE = 100


class JobAnswer(BaseModel):
    """One job, with its state and progress."""

    job_id: str = Field(examples=["3f0c2c0e5b7e4a8c9d2d7b7c1f1f6a10"])
    kind: str = Field(description="What the job does.", examples=["batch"])
    product: str = Field(examples=["cookie"])
    state: State
    creation_time: datetime
    start_time: datetime | None = None
    end_time: datetime | None = None
    stage: str | None = Field(None, description="The stage that a running job is in.", examples=["scoring"])
    done: int | None = Field(None, description="Steps of the stage that are done.", examples=[12])
    total: int | None = Field(None, description="Steps of the stage.", examples=[40])
    stage_number: int | None = Field(
        None, description="Number of the stage of a build. The first stage is 1.", examples=[2]
    )
    stages: int | None = Field(None, description="Number of stages of a build.", examples=[6])
    eta_s: float | None = Field(
        None, description="Seconds until this stage is done, at its pace so far. Further stages may follow."
    )
    request: dict[str, Any] = Field(description="The options of the request.")
    result: dict[str, Any] | None = Field(None, description="The result of a job that is done.")
    problem: dict[str, Any] | None = Field(None, description="Why the job failed, as problem+json.")

    @classmethod
    def of(cls, job: Job, jobs: Jobs) -> JobAnswer:
        """The answer's form of a job."""
        progress = jobs.progress(job.id)
        eta = progress.eta_s() if progress else None
        return cls(
            job_id=job.id,
            kind=job.kind,
            product=job.product,
            state=job.state,
            creation_time=_time(job.created),
            start_time=None if job.started is None else _time(job.started),
            end_time=None if job.finished is None else _time(job.finished),
            stage=progress.stage if progress else None,
            done=progress.done if progress else None,
            total=progress.total if progress else None,
            stage_number=progress.number if progress else None,
            stages=progress.stages if progress else None,
            eta_s=None if eta is None else round(eta, 1),
            request=dict(job.request),
            result=None if job.result is None else dict(job.result),
            problem=None if job.problem is None else dict(job.problem),
        )


class JobList(BaseModel):
    """Jobs, the newest first."""

    jobs: list[JobAnswer]
    next: int | None = Field(None, description="Ask again with `before` as this for older ones; else absent.")


class JobQuery(PageQuery):
    """Which jobs."""

    product: str | None = Field(None, description="Only jobs of this product.", examples=["cookie"])


class LineQuery(QueryModel):
    """Which result lines of a job."""

    after: int = Field(0, ge=0, le=10**9, description="Number of lines to skip.", examples=[100])


router = APIRouter(tags=["jobs"])


def accepted(job: Job, jobs: Jobs) -> Response:
    """202 for a job that was submitted, and where to ask for it."""
    body = JobAnswer.of(job, jobs).model_dump_json(exclude_none=True)
    headers = {"Location": f"/v1/jobs/{job.id}", "Retry-After": "1", "Preference-Applied": "respond-async"}
    return Response(body, 202, headers, "application/json")


@router.get("/v1/jobs", response_model_exclude_none=True, responses=Problems.of(422, 503, 507))
async def list_jobs(
    request: Request,
    services: Services,
    query: Annotated[JobQuery, Query()],
) -> JobList:
    """Jobs, the newest first."""
    products = products_of(request.scope)
    found = await on_disk(
        lambda: services.jobs.store.newest(
            query.product, products=products, before=query.before, limit=query.limit
        )
    )
    return JobList(
        jobs=[JobAnswer.of(job, services.jobs) for _, job in found],
        next=query.next(found, lambda one: one[0]),
    )


@router.get("/v1/jobs/{job_id}", response_model_exclude_none=True, responses=Problems.of(404, 422, 503, 507))
async def show_job(job_id: JobId, request: Request, services: Services) -> JobAnswer:
    """One job: its state, its progress and its result."""
    return JobAnswer.of(await _find(job_id, request, services), services.jobs)


@router.post(
    "/v1/jobs/{job_id}/cancel", response_model_exclude_none=True, responses=Problems.of(404, 422, 503, 507)
)
async def cancel_job(job_id: JobId, request: Request, services: Services) -> JobAnswer:
    """Stop a job. A running job stops at its next step.

    The results so far stay. A job that has ended does not change. A key below role `manage` may stop its own
    jobs.
    """
    job = await _find(job_id, request, services)
    check_owner(request.scope, job.owner)
    note_change(request, "cancel_job", product=job.product, subject=job_id, before={"state": job.state})
    return JobAnswer.of(await services.jobs.cancel(job_id), services.jobs)


@router.delete("/v1/jobs/{job_id}", status_code=204, responses=Problems.of(404, 409, 422, 503, 507))
async def delete_job(job_id: JobId, request: Request, services: Services) -> None:
    """Forget an ended job and its results."""
    job = await _find(job_id, request, services)
    if not job.ended:
        raise Refusal(409, "job_not_ended", "The job has not ended. Cancel it first.")
    before = {"kind": job.kind, "state": job.state}
    note_change(request, "delete_job", product=job.product, subject=job_id, before=before)
    await on_disk(lambda: services.jobs.store.remove(job_id))


@router.get(
    "/v1/jobs/{job_id}/events",
    responses={
        200: {
            "description": "One JobAnswer for each change.",
            "content": {EVENTS: {"schema": {"type": "string"}}, NDJSON: lines_of(JobAnswer)},
        }
    }
    | Problems.of(404, 422, 429, 503, 507),
    response_class=Response,
)
async def watch_job(job_id: JobId, request: Request, services: Services) -> Response:
    """The job at each change, until it ends. Server-sent events if Accept asks for them, else NDJSON."""
    await _find(job_id, request, services)
    as_events = EVENTS in joined(request.headers, "accept")

    async def told() -> AsyncGenerator[str]:
        before = ""
        async for job in services.jobs.watch(job_id, every_s=EVERY_S, idle_s=IDLE_S):
            line = JobAnswer.of(job, services.jobs).model_dump_json(exclude_none=True)
            if line != before:
                yield f"event: job\ndata: {line}\n\n" if as_events else f"{line}\n"
            elif as_events:
                yield ": still there\n\n"
            before = line

    media_type = EVENTS if as_events else NDJSON
    return held_stream(told(), services.watchers, request, media_type=media_type, stall_s=services.stall_s)


@router.get(
    "/v1/jobs/{job_id}/results",
    responses={
        200: {
            "description": "One BatchLine for each part, in the order of the parts.",
            "content": {NDJSON: lines_of(BatchLine)},
        }
    }
    | Problems.of(404, 422, 429, 503, 507),
    response_class=Response,
)
async def job_results(
    job_id: JobId,
    request: Request,
    services: Services,
    query: Annotated[LineQuery, Query()],
) -> Response:
    """The result lines so far, in order."""
    await _find(job_id, request, services)

    async def lines() -> AsyncGenerator[str]:
        number = query.after
        store = services.jobs.store
        while page := await on_disk(partial(store.lines, job_id, after=number, limit=_PAGE)):
            yield "".join(f"{line}\n" for line in page)
            number += len(page)

    return held_stream(lines(), services.exports, request, media_type=NDJSON, stall_s=services.stall_s)


async def _find(name: str, request: Request, services: SharedObjects) -> Job:
    """The job with this id. Raises Refusal, also where the key is not for the product of the job."""
    job = await services.jobs.find(name)
    if not may_see(request.scope, job.product):
        raise unknown_job()
    return job


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
