"""The OpenAPI document: what FastAPI finds in the routes, and what holds for all of them.

docs/openapi.json is this document, committed, so that a change of the API is a change that people see.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from service.http.access import PUBLIC
from service.http.codes import CODES
from service.http.headers import HEADERS, described
from service.http.problems import MEDIA_TYPE, Problem, V2Error, is_v2
from service.http.roles import role_for

RENEW = "tribank openapi --output docs/openapi.json"
"""The command that writes the committed document again."""
_DESCRIPTION = """Tribank scores parts against memory banks of good parts.

Refusals are problem+json (RFC 9457) with a stable `code`; below `/v2` they have the form of its protocol, and
the code is in the header `Tribank-Code`. `x-problem-codes` lists every code.
Every answer carries `X-Request-ID`, and `traceresponse` where the request had a valid `traceparent`. Where
the server has keys, each request names one, as `X-API-Key` or as a bearer token. `x-role` says which role the
key needs at least: read, score, label or manage."""
_TAGS = {
    "scoring": "Score one part, or a batch of parts.",
    "products": "The products that this server scores.",
    "versions": "The bank versions of a product.",
    "jobs": "Batches and builds that go on after their request was answered.",
    "results": "The results on record.",
    "changes": "Who changed what, and when.",
    "inference protocol": "The same scoring by the Open Inference Protocol v2.",
    "health": "For load balancers and monitoring.",
}
_SCHEMES = {
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "bearer": {"type": "http", "scheme": "bearer"},
}
_OF_ALL = (500,)
_OF_GUARDED = (401, 403, 422, 429)
_RETRIED = (429, 503)
_NEVER_SENT = ("HTTPValidationError", "ValidationError")
"""FastAPI's own form of a refusal."""


def make_document(app: FastAPI) -> dict[str, Any]:
    """The document of the application's routes."""
    document = deepcopy(  # the routes of every application share their schemas
        get_openapi(
            title=app.title,
            version=app.version,
            summary=app.summary,
            description=_DESCRIPTION,
            routes=app.routes,
            tags=[{"name": name, "description": text} for name, text in _TAGS.items()],
        )
    )
    components = document["components"]
    components["headers"] = dict(HEADERS)
    components["schemas"] |= {form.__name__: form.model_json_schema() for form in (Problem, V2Error)}
    components["securitySchemes"] = _SCHEMES
    # The last: on loopback nobody is asked before the first key is made.
    document["security"] = [{name: []} for name in _SCHEMES] + [{}]
    for path, method, operation in _operations(document):
        _complete(path, method, operation)
        for schema in _schemas(operation):
            components["schemas"] |= schema.pop("$defs", {})
    document["x-problem-codes"] = [{"code": name} | asdict(code) for name, code in CODES.items()]
    for name in _NEVER_SENT:
        components["schemas"].pop(name, None)
    return document


def document_text(app: FastAPI) -> str:
    """The document as the committed file holds it."""
    return json.dumps(app.openapi(), indent=1, ensure_ascii=False) + "\n"


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            yield path, method, operation


def _schemas(operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The schemas of an operation's bodies and answers, which may bring `$defs` of their own."""
    bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
    for content in (content for body in bodies for content in body.get("content", {}).values()):
        yield from (content[word] for word in ("schema", "itemSchema") if word in content)


def _complete(path: str, method: str, operation: dict[str, Any]) -> None:
    """Add what every route of this path may answer."""
    responses = operation["responses"]
    public = path in PUBLIC
    if public:
        operation["security"] = []
    else:
        operation["x-role"] = role_for(method.upper(), path)
    for status in _OF_ALL + (() if public else _OF_GUARDED):
        responses.setdefault(str(status), {"description": HTTPStatus(status).phrase})
    form, media_type = (V2Error, "application/json") if is_v2(path) else (Problem, MEDIA_TYPE)
    refusal = {media_type: {"schema": {"$ref": f"#/components/schemas/{form.__name__}"}}}
    for status, response in responses.items():
        names = ["X-Request-ID"]
        if int(status) >= 400:
            response["content"] = refusal
            names += ["Tribank-Code"] if is_v2(path) else []
        if int(status) in _RETRIED:
            names.append("Retry-After")
        response["headers"] = response.get("headers", {}) | described(*names)
    operation["responses"] = dict(sorted(responses.items()))
