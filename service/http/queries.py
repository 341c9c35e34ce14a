"""What a route would ignore is refused: a misspelt parameter must not become a silent default."""

from __future__ import annotations

from collections import Counter

from fastapi import Request
from pydantic import BaseModel, ConfigDict

from service.http.access import PUBLIC
from service.refusals import Refusal

KEY_HEADER = "Idempotency-Key"


class QueryModel(BaseModel):
    """The query of a route: its parameters, and no others."""

    model_config = ConfigDict(extra="forbid")


async def check_request(request: Request) -> None:
    """Dependency of every route: refuses what a query model cannot see. That is a repeated parameter, any
    parameter of a route without a query model, and an Idempotency-Key that would have no effect.

    The health routes and the page for people accept every query. Raises Refusal.
    """
    route = request.scope["route"]
    if route.path in PUBLIC or not route.include_in_schema:
        return
    given = Counter(name[:64] for name, _ in request.query_params.multi_items())
    if given and not route.dependant.query_params:
        detail = f"Unknown query parameter: {', '.join([*given][:5])}. This route accepts none."
        raise Refusal(422, "invalid_parameter", detail)
    if repeated := [name for name, times in given.items() if times > 1]:
        detail = f"Repeated query parameter: {', '.join(repeated[:5])}. Send each parameter once."
        raise Refusal(422, "invalid_parameter", detail)
    if request.method == "POST" and KEY_HEADER not in {
        field.alias for field in route.dependant.header_params
    }:
        refuse_key(request.headers.get(KEY_HEADER), "It is for parts, batches and builds. Send none.")


def refuse_key(key: str | None, use: str) -> None:
    """Raises Refusal for an Idempotency-Key that would have no effect. use: a sentence that says how it has
    one."""
    if key is not None:
        detail = f"The {KEY_HEADER} would have no effect here. {use}"
        raise Refusal(400, "idempotency_key_unused", detail)
