"""Small JSON bodies of the routes that manage, received with a bound and validated."""

from __future__ import annotations

import asyncio
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from service.refusals import Refusal

MAX_JSON_BYTES = 64 * 1024
TIMEOUT_S = 10.0
REFERENCE = "#/components/schemas/{model}"
"""Where the document keeps the schemas of models."""

_M = TypeVar("_M", bound=BaseModel)


async def read_json(request: Request, model: type[_M]) -> _M:
    """The body as `model`. Raises Refusal: 413 too large, 408 too slow, 422 not what the model wants."""
    body = bytearray()
    try:
        async with asyncio.timeout(TIMEOUT_S):
            async for piece in request.stream():
                body += piece
                if len(body) > MAX_JSON_BYTES:
                    detail = f"The body is larger than {MAX_JSON_BYTES} bytes."
                    raise Refusal(413, "body_too_large", detail)
    except TimeoutError:
        raise Refusal(408, "body_timeout", "The body did not arrive in time. Send it again.") from None
    try:
        return model.model_validate_json(bytes(body))
    except (ValidationError, RecursionError) as error:
        raise Refusal(422, "invalid_body", f"Correct the JSON body: {_sentence(error)}.") from None


def json_body(model: type[BaseModel]) -> dict[str, Any]:
    """`openapi_extra` of a route that takes `model` by `read_json`."""
    content = {"application/json": {"schema": component(model)}}
    return {"requestBody": {"required": True, "content": content}}


def component(model: type[BaseModel]) -> dict[str, Any]:
    """The schema of `model` for the document, which takes the `$defs` to its components."""
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


def _sentence(error: ValidationError | RecursionError) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    faults = error.errors(include_url=False, include_context=False, include_input=False)[:5]
    return "; ".join(f"{'.'.join(map(str, fault['loc'])) or 'body'}: {fault['msg']}" for fault in faults)
