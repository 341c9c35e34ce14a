"""Small JSON bodies, received within bounds of size and time, and validated."""

from __future__ import annotations

import asyncio
from functools import cache
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from service.http.uploads import check_coding
from service.refusals import Refusal

MAX_JSON_BYTES = 64 * 1024
TIMEOUT_S = 10.0
REFERENCE = "#/components/schemas/{model}"
"""Place of a model's schema in the OpenAPI document."""

_M = TypeVar("_M", bound=BaseModel)


async def read_json(request: Request, model: type[_M]) -> _M:
    """Read the body as `model`. Raises Refusal: 413 too large, 408 too slow, 415 compressed, 422 not a valid
    model."""
    check_coding(request.headers)
    body = bytearray()
    try:
        async with asyncio.timeout(TIMEOUT_S):
            async for piece in request.stream():
                body += piece
                if len(body) > MAX_JSON_BYTES:
                    detail = f"The body is larger than {MAX_JSON_BYTES} bytes. Send a smaller body."
                    raise Refusal(413, "body_too_large", detail)
    except TimeoutError:
        raise Refusal(
            408, "body_timeout", "The body did not arrive in time. Send the request again."
        ) from None
    try:
        return model.model_validate_json(bytes(body))
    except (ValidationError, RecursionError) as error:
        raise Refusal(422, "invalid_body", f"The JSON body is not valid: {_reason(error)}.") from None


def json_body(model: type[BaseModel]) -> dict[str, Any]:
    """`openapi_extra` of a route that reads its body with `read_json` as `model`."""
    content = {"application/json": {"schema": component(model)}}
    return {"requestBody": {"required": True, "content": content}}


@cache
def component(model: type[BaseModel]) -> dict[str, Any]:
    """The schema of `model` for the document, which takes the `$defs` to its components. Made once: all
    routes and applications share it, and nobody may change it."""
    schema = model.model_json_schema(ref_template=REFERENCE)
    return named_schema(model.__name__, schema, schema.pop("$defs", {}))


def lines_of(model: type[BaseModel]) -> dict[str, Any]:
    """The content of an answer of one `model` a line. itemSchema is OpenAPI 3.2's word; readers of 3.1 skip
    the word and find the model among the components."""
    return {"schema": {"type": "string"}, "itemSchema": component(model)}


def named_schema(name: str, schema: dict[str, Any], others: dict[str, Any] | None = None) -> dict[str, Any]:
    """A schema under a name of its own, as `component` gives it: generated clients make one class of it.

    others: the schemas that it refers to, by name.
    """
    return {"$ref": REFERENCE.format(model=name), "$defs": {**(others or {}), name: schema}}


def _reason(error: ValidationError | RecursionError) -> str:
    if isinstance(error, RecursionError):
        return "the body is nested too deeply"
    faults = error.errors(include_url=False, include_context=False, include_input=False)[:5]
    return "; ".join(f"{'.'.join(map(str, fault['loc'])) or 'body'}: {fault['msg']}" for fault in faults)
