"""The form of refusals: problem+json (RFC 9457), and the form of the Open Inference Protocol below /v2."""

from __future__ import annotations

import errno
from http import HTTPStatus
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Match
from starlette.types import Scope

from service.disk_faults import fault_of, is_full
from service.http.codes import CODES
from service.refusals import NotReady, Refusal

MEDIA_TYPE = "application/problem+json"


class Problem(BaseModel):
    """Why a request was refused, and what to do about it."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=["urn:tribank:problem:size_mismatch"])
    title: str = Field(examples=["Unprocessable Content"])
    status: int = Field(examples=[422])
    code: str = Field(
        description="Stable name, for programs. x-problem-codes of the document lists every code, with its "
        "meaning and whether the same request may be sent again. New codes may be added.",
        examples=["size_mismatch"],
        json_schema_extra={"x-extensible-enum": list(CODES)},
    )
    detail: str = Field(
        description="What is wrong and what to do, for people.", examples=["The part is 8 x 8 pixels; ..."]
    )
    request_id: str = Field(examples=["0b9f6c1e5f0a4c0f9c0f2f4f0a4c0f9c"])
    part_id: str | None = Field(
        None, description="The client's name for the part, once it is known.", examples=["board-000123"]
    )
    part: str | None = Field(None, description="The form field at fault, if there is one.", examples=["xyz"])


class V2Error(BaseModel):
    """Why a request below /v2 was refused, in the Open Inference Protocol's form."""

    error: str = Field(examples=["Unknown product. GET /v1/products lists the products that are served."])


def body_of(refusal: Refusal, request_id: str, part_id: str | None = None) -> dict[str, Any]:
    """The problem+json members of a refusal. part_id: the client's name of the part, if known."""
    problem = Problem(
        type=f"urn:tribank:problem:{refusal.code}",
        title=HTTPStatus(refusal.status).phrase,
        status=refusal.status,
        code=refusal.code,
        detail=refusal.detail,
        request_id=request_id,
        part_id=part_id,
        part=refusal.part,
        **refusal.extra,
    )
    return problem.model_dump(exclude_none=True)


def is_v2(path: str) -> bool:
    """Whether this path belongs to the Open Inference Protocol."""
    return path == "/v2" or path.startswith("/v2/")


def respond(refusal: Refusal, scope: Scope) -> JSONResponse:
    """The response of a refusal of this request."""
    if is_v2(scope["path"]):
        body = V2Error(error=refusal.detail).model_dump()
        return JSONResponse(body, refusal.status, refusal.headers | {"Tribank-Code": refusal.code})
    state = scope["state"]
    body = body_of(refusal, state["request_id"], state["record"].get("part_id"))
    return JSONResponse(body, refusal.status, headers=refusal.headers, media_type=MEDIA_TYPE)


_BROKEN = (errno.EROFS, errno.EIO, errno.ESTALE)
_STANDARD = {
    404: ("not_found", "Nothing exists at this address. GET /openapi.json lists all addresses."),
    405: (
        "method_not_allowed",
        "This address does not support the method. The Allow header lists the supported methods.",
    ),
}


async def on_refusal(request: Request, error: Exception) -> JSONResponse:
    """Exception handler for Refusal."""
    assert isinstance(error, Refusal)
    request.state.record["code"] = error.code
    return respond(error, request.scope)


async def on_http_exception(request: Request, error: Exception) -> JSONResponse:
    """Exception handler for the refusals of the router (404, 405)."""
    assert isinstance(error, HTTPException)
    code, detail = _STANDARD.get(error.status_code, ("refused", "The request was refused."))
    headers = {"Allow": _allowed(request)} if error.status_code == 405 else error.headers
    return await on_refusal(request, Refusal(error.status_code, code, detail, headers=headers))


def _allowed(request: Request) -> str:
    """The methods that this path accepts. The router itself names those of one route alone.

    HEAD is answered wherever GET is."""

    def accepts(method: str) -> bool:
        scope = {**request.scope, "method": "GET" if method == "HEAD" else method}
        return any(route.matches(scope)[0] is Match.FULL for route in request.app.routes)

    return ", ".join(filter(accepts, ("DELETE", "GET", "HEAD", "POST", "PUT")))


async def on_disk_error(request: Request, error: Exception) -> JSONResponse:
    """Exception handler for OSError and RecordsError.

    507: the disk is full. 503: the state folder or the database cannot be used at present. Other errors are
    raised again.
    """
    if is_full(error):
        detail = (
            "The server's disk is full. Nothing was changed. Ask its operator to free space in the state "
            "folder."
        )
        return await on_refusal(request, Refusal(507, "disk_full", detail))
    if fault_of(error) is not None or getattr(error, "errno", None) in _BROKEN:
        detail = "The records cannot be used at present. Parts are still scored. GET /readyz says why."
        return await on_refusal(request, NotReady("state_unavailable", detail))
    raise error


async def on_validation_error(request: Request, error: Exception) -> JSONResponse:
    """Exception handler for wrong parameters that FastAPI finds."""
    assert isinstance(error, RequestValidationError)
    wrong = "; ".join(f"{'.'.join(str(p) for p in e['loc'])}: {e['msg']}" for e in error.errors())
    return await on_refusal(request, Refusal(422, "invalid_parameter", f"Correct the parameters: {wrong}."))
