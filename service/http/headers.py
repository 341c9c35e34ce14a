"""Headers: those of answers as the OpenAPI document describes them, and those of requests as one text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.datastructures import Headers

_NUMBER = {"type": "number"}
_TEXT = {"type": "string"}
_SECONDS = {"type": "integer", "minimum": 0}
HEADERS: Mapping[str, dict[str, Any]] = {
    "X-Request-ID": {"description": "The request's name in the server's log.", "schema": _TEXT},
    "Retry-After": {"description": "Seconds to wait before the next try.", "schema": _SECONDS},
    "Location": {"description": "The address of the job, or of the version that arrived.", "schema": _TEXT},
    "Preference-Applied": {"description": "respond-async: the work is a job.", "schema": _TEXT},
    "Server-Timing": {"description": "Milliseconds of each stage (W3C Server-Timing).", "schema": _TEXT},
    "Idempotency-Replayed": {
        "description": "true: the answer of an earlier request with the same Idempotency-Key.",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "Tribank-Result-Id": {"description": "The result's name in /v1/results.", "schema": _TEXT},
    "Tribank-Bank-Version": {"description": "The bank version that scored the part.", "schema": _TEXT},
    "Tribank-Score": {"description": "The score, as in the JSON.", "schema": _NUMBER},
    "Tribank-Threshold": {"description": "The threshold that decided.", "schema": _NUMBER},
    "Tribank-Decision": {
        "description": "The decision, as in the JSON.",
        "schema": {"type": "string", "enum": ["good", "defective"]},
    },
    "Tribank-Scale": {
        "description": "Two numbers: the values of the score map at the ends of the colours.",
        "schema": _TEXT,
    },
    "Tribank-Map-Scale": {
        "description": "Of the 16-bit map: value = Tribank-Map-Offset + grey level * this.",
        "schema": _NUMBER,
    },
    "Tribank-Map-Offset": {"description": "Of the 16-bit map: the value of grey level 0.", "schema": _NUMBER},
    "Inference-Header-Content-Length": {
        "description": "Below /v2: the bytes of JSON before the raw bytes of the tensors.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "Tribank-Code": {"description": "Below /v2: the code of the problem.", "schema": _TEXT},
}
OF_RESULTS = (
    "Server-Timing",
    "Idempotency-Replayed",
    "Tribank-Result-Id",
    "Tribank-Bank-Version",
    "Tribank-Score",
    "Tribank-Threshold",
    "Tribank-Decision",
    "Tribank-Scale",
    "Tribank-Map-Scale",
    "Tribank-Map-Offset",
)
"""The headers that an answer to one part can have."""
OF_JOBS = ("Location", "Retry-After", "Preference-Applied")
"""The headers of an answer that accepted a job."""
OF_REQUESTS = (
    "X-API-Key",
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "Prefer",
    "X-Request-ID",
    "Inference-Header-Content-Length",
    "Last-Event-ID",
)
"""The headers that the API reads from a request, and that a browser sends only where a server allows them."""


def described(*names: str) -> dict[str, dict[str, str]]:
    """The `headers` of a response in the document."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def joined(headers: Headers, name: str) -> str:
    """What a request's headers of this name say together: a client may send a list in several headers."""
    return ",".join(headers.getlist(name))
