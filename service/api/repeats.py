"""Requests that are sent again, as after a cut: an Idempotency-Key, and the answer that it got before."""

from __future__ import annotations

from typing import Annotated

from fastapi import Header, Request, Response

from service.answers.renderers import JSON, result_headers
from service.http.access import key_name
from service.http.queries import KEY_HEADER
from service.records.repeats import Answered
from service.refusals import Refusal

MAX_KEY = 255
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias=KEY_HEADER,
        description="New for each request, and the same when it is sent again: then it is done once. Of this "
        f"product and this API key only; 1 to {MAX_KEY} printable characters.",
        examples=["board-000123-1"],
    ),
]


def scoped_key(request: Request, kind: str, product: str, key: str | None) -> str | None:
    """The client's key as it is kept: of this kind of requests, product and API key only. Raises Refusal."""
    if key is None:
        return None
    if not 1 <= len(key) <= MAX_KEY or not key.isprintable():
        detail = f"An {KEY_HEADER} is 1 to {MAX_KEY} printable characters."
        raise Refusal(400, "invalid_idempotency_key", detail)
    return "/".join((kind, product, key_name(request.scope) or "", key))


async def on_answered(request: Request, error: Exception) -> Response:
    """Exception handler for Answered."""
    assert isinstance(error, Answered)
    result = error.result
    request.state.record.update(result_id=result.id, bank_version=result.bank_version, replayed=True)
    told = result_headers(
        result.id, result.bank_version, result.score, result.threshold, decision=result.decision
    )
    return Response(result.answer, headers=told | {"Idempotency-Replayed": "true"}, media_type=JSON)
