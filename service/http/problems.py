"""Answers other than success: RFC 9457 problem+json, one shape for all of them."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from safetensors import SafetensorError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Scope

from models.sample import BadSample, TooLarge, UnsupportedType
from service.records.database import NotOpen, is_outside

MEDIA_TYPE = "application/problem+json"


class Problem(BaseModel):
    """Why a request was refused, and what to do about it."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=["urn:tribank:problem:size_mismatch"])
    title: str = Field(examples=["Unprocessable Content"])
    status: int = Field(examples=[422])
    code: str = Field(description="Stable; for programs.", examples=["size_mismatch"])
    detail: str = Field(description="What to do; for people.", examples=["The part is 8 x 8 pixels; ..."])
    request_id: str = Field(examples=["0b9f6c1e5f0a4c0f9c0f2f4f0a4c0f9c"])
    part_id: str | None = Field(
        None, description="The client's name for the part, once it is known.", examples=["board-000123"]
    )
    part: str | None = Field(None, description="The form field at fault, if one is.", examples=["xyz"])


class V2Error(BaseModel):
    """Why a request below /v2 was refused, in the Open Inference Protocol's form."""

    error: str = Field(
        examples=["There is no such product here. GET /v1/products lists those that are served."]
    )


class Refusal(Exception):
    """A request that gets an answer other than success. `code` is stable; `detail` says what to do."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        part: str | None = None,
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.part = part
        self.headers = dict(headers or {})
        self.extra = dict(extra or {})


class Overloaded(Refusal):
    """As many parts are in work as the limits allow."""

    def __init__(self, retry_after_s: int) -> None:
        detail = f"The service is working at its limit. Send the part again in {retry_after_s} s."
        super().__init__(429, "overloaded", detail, headers={"Retry-After": str(retry_after_s)})


class KeyReused(Refusal):
    """An Idempotency-Key came again with another request."""

    def __init__(self) -> None:
        detail = "This Idempotency-Key came before with another request. Use a new one for each request."
        super().__init__(409, "idempotency_key_reused", detail)


class DeadlinePassed(Refusal):
    """The part was not scored in time; what is late is never answered as if it were not."""

    def __init__(self) -> None:
        detail = "The part was not scored in time. Send it again, or fewer at once."
        super().__init__(504, "deadline_passed", detail)


class NotReady(Refusal):
    """The service, or the product asked for, cannot score at present."""

    def __init__(
        self, code: str, detail: str, *, close: bool = False, extra: Mapping[str, Any] | None = None
    ) -> None:
        headers = {"Retry-After": "2"} | ({"Connection": "close"} if close else {})
        super().__init__(503, code, detail, headers=headers, extra=extra)


class ScoringStopped(NotReady):
    """The thread that scores ended while it had the part, or while the part waited for it."""

    def __init__(self) -> None:
        super().__init__("not_running", "The service stopped before the part was scored. Send it again.")


class UnknownProduct(Refusal):
    """No bank of that name is served."""

    def __init__(self) -> None:
        detail = "There is no such product here. GET /v1/products lists those that are served."
        super().__init__(404, "unknown_product", detail)


def from_bad_sample(error: BadSample, part: str | None = None) -> Refusal:
    """The refusal for a part that cannot be scored: 415, 413 or 422 by its kind."""
    status = 422
    if isinstance(error, UnsupportedType):
        status = 415
    elif isinstance(error, TooLarge):
        status = 413
    return Refusal(status, error.code, str(error), part=part)


def body_of(refusal: Refusal, request_id: str, part_id: str | None = None) -> dict[str, Any]:
    """The problem+json members of a refusal. part_id: of the part that it concerns, if it has a name."""
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
    """Whether this path speaks the Open Inference Protocol."""
    return path == "/v2" or path.startswith("/v2/")


def respond(refusal: Refusal, scope: Scope) -> JSONResponse:
    """The response of a refusal of this request."""
    if is_v2(scope["path"]):
        return JSONResponse(V2Error(error=refusal.detail).model_dump(), refusal.status, refusal.headers)
    state = scope["state"]
    body = body_of(refusal, state["request_id"], state["record"].get("part_id"))
    return JSONResponse(body, refusal.status, headers=refusal.headers, media_type=MEDIA_TYPE)


INTERNAL = Refusal(500, "internal", "The service failed on this request. Tell its operator the request id.")

EXIT_FULL = 4
"""Exit status of a command that finds the disk full."""
EXIT_UNABLE = 70
"""Of a server that can score no more (EX_SOFTWARE of sysexits.h): whoever watches it is to start it again."""
_FULL = (errno.ENOSPC, errno.EDQUOT)
_BROKEN = (errno.EROFS, errno.EIO, errno.ESTALE)
_STANDARD = {
    404: ("not_found", "There is nothing at this address. GET /openapi.json describes the service."),
    405: (
        "method_not_allowed",
        "This address does not take that method; the Allow header names what it takes.",
    ),
}


def is_full(error: BaseException) -> bool:
    """Whether an error of the system, of sqlite3 or of safetensors says that the disk, or one's share of it,
    is full."""
    if isinstance(error, SafetensorError):  # has the number in its words only
        return any(f"(os error {number})" in str(error) for number in _FULL)
    if isinstance(error, NotOpen):
        return error.full
    return getattr(error, "errno", None) in _FULL or getattr(error, "sqlite_errorname", "") == "SQLITE_FULL"


async def on_refusal(request: Request, error: Exception) -> JSONResponse:
    """Exception handler for Refusal."""
    assert isinstance(error, Refusal)
    request.state.record["code"] = error.code
    return respond(error, request.scope)


async def on_http_exception(request: Request, error: Exception) -> JSONResponse:
    """Exception handler for what the router itself refuses (404, 405)."""
    assert isinstance(error, HTTPException)
    code, detail = _STANDARD.get(error.status_code, ("refused", "The request was refused."))
    return await on_refusal(request, Refusal(error.status_code, code, detail, headers=error.headers))


async def on_disk_error(request: Request, error: Exception) -> JSONResponse:
    """Exception handler for OSError and sqlite3.DatabaseError: 507 where the disk is full, 503 where the
    state folder cannot be used at present, else a 500."""
    if is_full(error):
        detail = "The disk of the state folder is full. Nothing was changed. Tell the server's operator."
        return await on_refusal(request, Refusal(507, "disk_full", detail))
    if is_outside(error) or getattr(error, "errno", None) in _BROKEN:
        detail = "What the service keeps cannot be used at present. Parts are scored; GET /readyz says why."
        return await on_refusal(request, NotReady("state_unavailable", detail))
    raise error


async def on_validation_error(request: Request, error: Exception) -> JSONResponse:
    """Exception handler for parameters that FastAPI refuses."""
    assert isinstance(error, RequestValidationError)
    wrong = "; ".join(f"{'.'.join(str(p) for p in e['loc'])}: {e['msg']}" for e in error.errors())
    return await on_refusal(request, Refusal(422, "invalid_parameter", f"Correct the parameters: {wrong}."))
