"""Refuse query parameters that the route would ignore: a misspelt parameter must not become a default."""

from __future__ import annotations

from collections import Counter
from urllib.parse import unquote_to_bytes

from fastapi import Request
from pydantic import BaseModel, ConfigDict

from service.http.access import PUBLIC
from service.refusals import Refusal

KEY_HEADER = "Idempotency-Key"


class QueryModel(BaseModel):
    """The query parameters of a route. Other parameters are refused."""

    model_config = ConfigDict(extra="forbid")


async def check_request(request: Request) -> None:
    """Dependency of every route: refuses what a query model cannot see.

    Refused are a query that is not UTF-8, a repeated parameter, any parameter of a route without a query
    model, and an Idempotency-Key on a route that does not support the header. The health routes and the
    console page accept every query.

    Raises Refusal.
    """
    route = request.scope["route"]
    if route.path in PUBLIC or not route.include_in_schema:
        return
    try:
        unquote_to_bytes(request.scope["query_string"]).decode()
    except UnicodeDecodeError:
        detail = "The query is not UTF-8. Encode its text as UTF-8, then percent-encode it: ä is %C3%A4."
        raise Refusal(422, "invalid_parameter", detail) from None
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
        refuse_key(request.headers.get(KEY_HEADER), "not supported on this route. Remove the header.")


def refuse_key(key: str | None, reason: str) -> None:
    """Raises Refusal if the request has an Idempotency-Key. reason: completes "Idempotency-Key is ..."."""
    if key is not None:
        detail = f"{KEY_HEADER} is {reason}"
        raise Refusal(400, "idempotency_key_unused", detail)
