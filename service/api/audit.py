"""/v1/audit: who changed what; and the middleware that puts every change on record."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.names import Moment
from service.api.services import Problems, Services
from service.api.tables import CSV, PAGE, PageQuery, TableQuery, table_answer
from service.http.access import client_of, products_of
from service.http.queries import QueryModel
from service.http.roles import changes_something
from service.records.audit import Change, ChangeFilter
from service.records.changes import Changes
from service.threads import on_disk


def note_change(
    request: Request,
    action: str,
    *,
    product: str | None = None,
    bank_version: str | None = None,
    subject: str | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Say what a request changes, for the log line and for the record of changes. The arguments are those of
    `Change`. A later call adds to an earlier one."""
    facts = {"product": product, "bank_version": bank_version, "subject": subject}
    given = {"action": action} | {name: value for name, value in facts.items() if value is not None}
    states = {name: value for name, value in (("before", before), ("after", after)) if value is not None}
    request.state.record.update(given)
    request.scope["state"].setdefault("change", {}).update(given | states)


class AuditedChanges:
    """ASGI middleware that puts every change on record before the change is answered."""

    def __init__(self, app: ASGIApp, changes: Changes) -> None:
        self._app = app
        self._changes = changes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not changes_something(scope["method"], scope["path"]):
            await self._app(scope, receive, send)
            return

        async def recorded(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] < 400:
                await self._record(scope)
            await send(message)

        await self._app(scope, receive, recorded)

    async def _record(self, scope: Scope) -> None:
        state = scope["state"]
        change = Change(
            **{"action": scope["route"].name} | state.get("change", {}),
            who=client_of(scope),
            address=(scope.get("client") or ("",))[0],
            request_id=state["request_id"],
        )
        await self._changes.record(change)


class ChangeAnswer(BaseModel):
    """One change."""

    number: int = Field(description="Grows with each change.")
    time: datetime
    action: str = Field(examples=["activate"])
    who: str = Field(
        description="The key; the address where the server has no keys; the user of a command.",
        examples=["key anna"],
    )
    address: str = Field(description="IP address of the client; empty for a command.", examples=["10.0.0.7"])
    request_id: str | None
    product: str | None = Field(examples=["cookie"])
    bank_version: str | None = Field(examples=["v3"])
    subject: str | None = Field(description="The result, job, key or part that was changed.")
    before: dict[str, Any] = Field(description="The values before the change.", examples=[{"active": "v2"}])
    after: dict[str, Any] = Field(description="The values after the change.", examples=[{"active": "v3"}])

    @classmethod
    def of(cls, number: int, change: Change) -> ChangeAnswer:
        """The answer's form of a record."""
        return cls(
            number=number,
            time=datetime.fromtimestamp(change.time, UTC),
            action=change.action,
            who=change.who,
            address=change.address,
            request_id=change.request_id,
            product=change.product,
            bank_version=change.bank_version,
            subject=change.subject,
            before=dict(change.before),
            after=dict(change.after),
        )


class ChangeList(BaseModel):
    """Changes, the newest first."""

    changes: list[ChangeAnswer]
    next: int | None = Field(description="Ask again with `before` as this for older ones; null: no more.")


class ChangeQuery(QueryModel):
    """Which changes: all that is given must hold."""

    product: str | None = Field(
        None, max_length=64, description="Only changes of this product.", examples=["cookie"]
    )
    action: str | None = Field(None, max_length=64, description="Only these changes.", examples=["activate"])
    who: str | None = Field(
        None, max_length=200, description="Only changes by this key, address or user.", examples=["key anna"]
    )
    since: Moment | None = Field(
        None, description="Only changes made at this time or later.", examples=["2026-07-01T06:00:00Z"]
    )
    until: Moment | None = Field(
        None, description="Only changes made before this time.", examples=["2026-07-01T14:00:00Z"]
    )

    def asked(self, request: Request) -> ChangeFilter:
        """The store's form of it, for the products that the client may see."""
        return ChangeFilter(
            product=self.product,
            action=self.action,
            who=self.who,
            since=self.since.timestamp() if self.since else None,
            until=self.until.timestamp() if self.until else None,
            products=products_of(request.scope),
        )


class ChangePageQuery(ChangeQuery, PageQuery):
    """Which changes, and how many."""


class ChangeExportQuery(ChangeQuery, TableQuery):
    """Which changes, and for whom."""


router = APIRouter(tags=["changes"])


@router.get("/v1/audit", responses=Problems.of(422, 503, 507))
async def list_changes(
    request: Request, services: Services, query: Annotated[ChangePageQuery, Query()]
) -> ChangeList:
    """Who changed what, the newest first: versions, thresholds, verdicts, builds, jobs, keys.

    Nothing deletes these records.
    """
    asked = query.asked(request)
    found = await on_disk(lambda: services.audit.newest(asked, before=query.before, limit=query.limit))
    return ChangeList(
        changes=[ChangeAnswer.of(*one) for one in found], next=query.next(found, lambda one: one[0])
    )


@router.get(
    "/v1/audit.csv",
    responses={200: {"content": {CSV: {"schema": {"type": "string"}}}}} | Problems.of(422, 429, 503, 507),
    response_class=Response,
)
async def export_changes(
    request: Request, services: Services, query: Annotated[ChangeExportQuery, Query()]
) -> Response:
    """All changes as a table, the newest first."""
    pages = services.audit.all(query.asked(request), page=PAGE)
    return table_answer(
        "changes.csv", ChangeAnswer.model_fields, pages, _row, request, services, excel=query.excel
    )


def _row(kept: tuple[int, Change]) -> list[Any]:
    answer = ChangeAnswer.of(*kept)
    return [json.dumps(value) if isinstance(value, dict) else value for _, value in answer]
