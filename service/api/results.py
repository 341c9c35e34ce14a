"""/v1/results: what was said of which part, what people say to it, and how the scores lie."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Query, Request, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from recipes.banks import BANKS
from service.answers.schemas import ScoreAnswer
from service.api.audit import note_change
from service.api.names import Moment, ResultId
from service.api.services import Problems, Services, SharedObjects
from service.api.tables import CSV, PAGE, PageQuery, TableQuery, table_answer
from service.engine.decoding import MAX_PART_ID
from service.engine.labels import MOST_TEXT, label_text, labels_of
from service.http.access import client_of, may_see, products_of
from service.http.bodies import json_body, read_json
from service.http.queries import QueryModel
from service.records.results import Filter, Kept, Verdict
from service.refusals import NotReady, Refusal, UnknownProduct
from service.threads import on_disk

_BINS = 60
_MOST_SCORES = 20_000


class ResultFilter(QueryModel):
    """Which results: all that is given must hold."""

    product: str | None = Field(
        None, max_length=64, description="Only results of this product.", examples=["cookie"]
    )
    bank_version: str | None = Field(
        None, max_length=64, description="Only results of this bank version.", examples=["v1"]
    )
    part_id: Annotated[str, AfterValidator(str.strip)] | None = Field(
        None,
        max_length=MAX_PART_ID,
        description="Only results of the part with this name.",
        examples=["board-000123"],
    )
    decision: Literal["good", "defective"] | None = Field(
        None, description="Only results with this decision.", examples=["defective"]
    )
    verdict: Literal["good", "defective", "none"] | None = Field(
        None,
        description="Only results with this judgement. none: results that nobody judged.",
        examples=["good"],
    )
    labels: str | None = Field(
        None,
        max_length=MOST_TEXT,
        description="Only results with all these labels: name:value, separated by commas.",
        examples=["shift:night"],
    )
    since: Moment | None = Field(
        None, description="Only results made at this time or later.", examples=["2026-07-01T06:00:00Z"]
    )
    until: Moment | None = Field(
        None, description="Only results made before this time.", examples=["2026-07-01T14:00:00Z"]
    )
    score_from: float | None = Field(
        None, allow_inf_nan=False, description="Only results with this score or more.", examples=[2.5]
    )
    score_below: float | None = Field(
        None, allow_inf_nan=False, description="Only results with a lower score.", examples=[3.5]
    )
    job_id: str | None = Field(
        None,
        max_length=64,
        description="Only results of this batch job.",
        examples=["3f0c2c0e5b7e4a8c9d2d7b7c1f1f6a10"],
    )
    plane_found: bool | None = Field(
        None,
        description="Only results for which the plane under the part was found, or was not found.",
        examples=[False],
    )
    is_simulated: bool = Field(
        False,
        description="Only results of shadow versions. Without it only results that decided.",
        examples=[False],
    )

    def asked(self, request: Request) -> Filter:
        """The store's form of it, for the products that the client may see."""
        return Filter(
            product=self.product,
            bank_version=self.bank_version,
            part_id=self.part_id,
            decision=self.decision,
            verdict=self.verdict,
            since=self.since.timestamp() if self.since else None,
            until=self.until.timestamp() if self.until else None,
            score_from=self.score_from,
            score_below=self.score_below,
            job=self.job_id,
            plane_found=self.plane_found,
            simulated=self.is_simulated,
            products=products_of(request.scope),
            labels=labels_of(self.labels),
        )


class ExportQuery(ResultFilter, TableQuery):
    """Which results, and for whom."""


class ResultQuery(ResultFilter, PageQuery):
    """Which results, and how many."""


class HistogramQuery(QueryModel):
    """Whose scores."""

    product: str = Field(max_length=64, description="Only results of this product.", examples=["cookie"])
    bank_version: str | None = Field(
        None,
        max_length=64,
        description="The bank version; default: the active one. Scores of two versions cannot be compared.",
        examples=["v1"],
    )
    threshold: float | None = Field(
        None,
        allow_inf_nan=False,
        description="Count with this threshold. Default: the threshold in force.",
        examples=[2.5],
    )


class Feedback(BaseModel):
    """What a person says of a part after looking at it."""

    model_config = ConfigDict(extra="forbid")

    verdict: Verdict = Field(description="What the part really is.")
    note: str | None = Field(None, max_length=500, examples=["a reflection, no dent"])


class ResultSummary(BaseModel):
    """One result on record."""

    result_id: str
    creation_time: datetime
    product: str
    part_id: str | None
    labels: dict[str, str]
    bank_version: str
    score: float
    threshold: float
    decision: Literal["good", "defective"]
    is_simulated: bool = Field(description="Of a shadow: it decided nothing.")
    simulates: str | None = Field(description="Of a shadow: the result that decided on the same part.")
    job_id: str | None = Field(description="Of a part of a batch job: the job.")
    verdict: Verdict | None = Field(description="What a person said of the part; null if nobody did.")
    verdict_time: datetime | None
    judged_by: str | None = Field(description="Who said the verdict: a key, or an address without keys.")
    note: str | None
    answered: bool = Field(
        description="False: who asked was gone, or the deadline had passed, when it was to be answered."
    )

    @classmethod
    def of(cls, kept: Kept) -> ResultSummary:
        """The answer's form of a record."""
        return cls.model_validate(_facts(kept))


class ResultAnswer(ResultSummary):
    """One result on record, with all that was answered."""

    answer: ScoreAnswer = Field(description="As it was answered, or would have been to a request for JSON.")

    @classmethod
    def of(cls, kept: Kept) -> ResultAnswer:
        """The answer's form of a record."""
        return cls.model_validate(_facts(kept) | {"answer": json.loads(kept.result.answer)})


class ResultList(BaseModel):
    """Results, the newest first."""

    results: list[ResultSummary]
    next: int | None = Field(description="Ask again with `before` as this for older ones; null: no more.")


class Histogram(BaseModel):
    """How the scores of one bank version lie, of its newest results."""

    product: str
    bank_version: str
    threshold: float
    count: int = Field(description="Number of results.")
    rejected: int = Field(description="Number of results that this threshold rejects.")
    rejected_good: int = Field(description="Number of rejected results that a person judged good.")
    passed_defective: int = Field(description="Number of passed results that a person judged defective.")
    edges: list[float] = Field(description="Edges of the bins. There is one edge more than there are bins.")
    unjudged: list[int] = Field(description="Number of results in each bin that nobody judged.")
    good: list[int] = Field(description="Number of results in each bin that a person judged good.")
    defective: list[int] = Field(description="Number of results in each bin that a person judged defective.")


router = APIRouter(tags=["results"])


@router.get("/v1/results", responses=Problems.of(422, 503, 507))
async def list_results(
    request: Request, services: Services, query: Annotated[ResultQuery, Query()]
) -> ResultList:
    """Results on record, the newest first. The parameters say which."""
    store = services.records.store
    found = await on_disk(lambda: store.newest(query.asked(request), before=query.before, limit=query.limit))
    more = query.next(found, lambda kept: kept.number)
    return ResultList(results=[ResultSummary.of(kept) for kept in found], next=more)


@router.get(
    "/v1/results.csv",
    responses={200: {"content": {CSV: {"schema": {"type": "string"}}}}} | Problems.of(422, 429, 503, 507),
    response_class=Response,
)
async def export_results(
    request: Request, services: Services, query: Annotated[ExportQuery, Query()]
) -> Response:
    """All results on record as a table, the newest first. An apostrophe stands before a text that a
    spreadsheet would run as a formula."""
    pages = services.records.store.all(query.asked(request), page=PAGE)
    return table_answer("results.csv", _COLUMNS, pages, _row, request, services, excel=query.excel)


@router.get("/v1/results/histogram", responses=Problems.of(404, 422, 503, 507))
async def show_histogram(
    request: Request, services: Services, query: Annotated[HistogramQuery, Query()]
) -> Histogram:
    """A histogram of the newest 20,000 scores of a bank version, and how many parts a threshold rejects."""
    served = services.engine.products().get(query.product)
    if served is None or not may_see(request.scope, query.product):
        raise UnknownProduct
    version = query.bank_version or (served.detector.version if served.detector else served.wanted)
    threshold = query.threshold
    if threshold is None and served.detector is not None:
        threshold = served.detector.calibration.threshold
    if version is None or threshold is None:
        raise NotReady(
            "loading", "The product is not loaded yet. Ask again, or name a version and a threshold."
        )
    asked = Filter(product=query.product, bank_version=version)
    rows = await on_disk(lambda: services.records.store.scores(asked, limit=_MOST_SCORES))
    return _histogram(query.product, version, threshold, rows)


@router.get("/v1/results/{result_id}", responses=Problems.of(404, 422, 503, 507))
async def show_result(result_id: ResultId, request: Request, services: Services) -> ResultAnswer:
    """One result, with the whole answer that the client got."""
    return ResultAnswer.of(await _find(result_id, request, services))


@router.get(
    "/v1/results/{result_id}/picture",
    responses={200: {"content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}}}
    | Problems.of(404, 422, 503, 507),
    response_class=Response,
)
async def show_picture(result_id: ResultId, request: Request, services: Services) -> Response:
    """A small picture of the prepared part with its score map, in the version's fixed colours."""
    await _find(result_id, request, services)
    picture = await on_disk(lambda: services.records.store.picture(result_id))
    if picture is None:
        raise _unknown()
    return Response(picture, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=86400"})


@router.put(
    "/v1/results/{result_id}/feedback",
    responses=Problems.of(404, 408, 413, 415, 422, 503, 507),
    openapi_extra=json_body(Feedback),
)
async def give_feedback(result_id: ResultId, request: Request, services: Services) -> ResultSummary:
    """Judge the part: good or defective. The last judgement counts. It changes no bank and no threshold."""
    feedback = await read_json(request, Feedback)
    return await _judged(result_id, request, services, feedback)


@router.delete("/v1/results/{result_id}/feedback", responses=Problems.of(404, 422, 503, 507))
async def take_feedback_back(result_id: ResultId, request: Request, services: Services) -> ResultSummary:
    """Remove the judgement of the part."""
    return await _judged(result_id, request, services, None)


async def _judged(
    name: str, request: Request, services: SharedObjects, feedback: Feedback | None
) -> ResultSummary:
    before = await _find(name, request, services)
    verdict, note = (None, None) if feedback is None else (feedback.verdict, feedback.note)
    note_change(
        request,
        "judge",
        product=before.result.product,
        bank_version=before.result.bank_version,
        subject=name,
        before={"verdict": before.verdict, "note": before.note},
        after={"verdict": verdict, "note": note},
    )
    who = client_of(request.scope)
    kept = await on_disk(lambda: services.records.store.judge(name, verdict, note, who))
    if kept is None:
        raise _unknown()
    return ResultSummary.of(kept)


async def _find(name: str, request: Request, services: SharedObjects) -> Kept:
    """The result with this id. Raises Refusal, also where the key is not for the product of the result."""
    kept = await on_disk(lambda: services.records.store.find(name))
    if kept is None or not may_see(request.scope, kept.result.product):
        raise _unknown()
    return kept


def _unknown() -> Refusal:
    detail = "There is no such result, or it is no longer kept. GET /v1/results lists those that are."
    return Refusal(404, "unknown_result", detail)


def _facts(kept: Kept) -> dict[str, Any]:
    result = kept.result
    return {
        "result_id": result.id,
        "creation_time": datetime.fromtimestamp(result.created, UTC),
        "product": result.product,
        "part_id": result.part_id,
        "labels": json.loads(result.labels),
        "bank_version": result.bank_version,
        "score": result.score,
        "threshold": result.threshold,
        "decision": result.decision,
        "is_simulated": result.simulates is not None,
        "simulates": result.simulates,
        "job_id": result.job,
        "verdict": kept.verdict,
        "verdict_time": None if kept.verdict_time is None else datetime.fromtimestamp(kept.verdict_time, UTC),
        "judged_by": kept.judged_by,
        "note": kept.note,
        "answered": kept.answered,
    }


_TOLD = tuple(ResultSummary.model_fields)
_BANK_COLUMNS = (f"score_{bank}" for bank in BANKS)
_COLUMNS = (*_TOLD, "relative_score", "threshold_source", *_BANK_COLUMNS, "regions", "total_ms")


def _row(kept: Kept) -> list[Any]:
    facts, answer = _facts(kept), json.loads(kept.result.answer)
    return [
        *(label_text(facts[name]) if name == "labels" else facts[name] for name in _TOLD),
        answer.get("relative_score"),
        answer["threshold_source"],
        *(answer["banks"].get(bank) for bank in BANKS),
        len(answer["regions"]),
        answer["timings_ms"].get("total"),
    ]


def _histogram(
    product: str, version: str, threshold: float, rows: list[tuple[float, Verdict | None]]
) -> Histogram:
    scores = np.array([score for score, _ in rows], np.float64)
    verdicts = np.array([verdict or "none" for _, verdict in rows], "U9")
    over = scores > threshold
    inside = [*scores.tolist(), threshold, 0.0]
    edges = np.linspace(min(inside), max(*inside, min(inside) + 1e-9), _BINS + 1)

    def bins(verdict: str) -> list[int]:
        return np.histogram(scores[verdicts == verdict], edges)[0].tolist()

    return Histogram(
        product=product,
        bank_version=version,
        threshold=threshold,
        count=len(rows),
        rejected=int(over.sum()),
        rejected_good=int((over & (verdicts == "good")).sum()),
        passed_defective=int((~over & (verdicts == "defective")).sum()),
        edges=edges.tolist(),
        unjudged=bins("none"),
        good=bins("good"),
        defective=bins("defective"),
    )
