"""Refused requests, as exceptions. `service.http.problems` turns a refusal into an answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.sample import BadSample, TooLarge, UnsupportedType


class Refusal(Exception):
    """A request is refused.

    status: HTTP status. code: stable name of the reason, for programs. detail: says what is wrong and what to
    do, for people. part: the form field at fault. headers, extra: further headers and problem members.
    """

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
    """A limit on requests in progress is reached."""

    def __init__(self, retry_after_s: int) -> None:
        detail = f"The server is at its limit. Send the request again in {retry_after_s} s."
        super().__init__(429, "overloaded", detail, headers={"Retry-After": str(retry_after_s)})


class KeyReused(Refusal):
    """An Idempotency-Key was used before with another request."""

    def __init__(self) -> None:
        detail = "This Idempotency-Key was used before with another request. Use a new key for each request."
        super().__init__(409, "idempotency_key_reused", detail)


class DeadlinePassed(Refusal):
    """The part was not scored before its deadline."""

    def __init__(self) -> None:
        detail = "The part was not scored in time. Send the part again, or send fewer parts at once."
        super().__init__(504, "deadline_passed", detail)


class NotReady(Refusal):
    """The server or the product cannot score at present.

    close: also close the connection. at_fault: whether a job that gets this may be the cause.
    """

    at_fault = False

    def __init__(
        self, code: str, detail: str, *, close: bool = False, extra: Mapping[str, Any] | None = None
    ) -> None:
        headers = {"Retry-After": "2"} | ({"Connection": "close"} if close else {})
        super().__init__(503, code, detail, headers=headers, extra=extra)


class LoadFailed(Refusal):
    """A version was not loaded, and its files are not at fault. The next load may succeed."""


class ScoringStopped(NotReady):
    """The worker thread ended before it scored the part."""

    at_fault = True

    def __init__(self) -> None:
        super().__init__("not_running", "The server stopped before the part was scored. Send the part again.")


class SensorChanged(NotReady):
    """A version that declares another sensor became active while a part was decoded."""

    def __init__(self) -> None:
        detail = "A version that declares another sensor became active. Send the part again."
        super().__init__("sensor_changed", detail)


class UnknownProduct(Refusal):
    """No product of this name is served."""

    def __init__(self) -> None:
        detail = "Unknown product. GET /v1/products lists the products that are served."
        super().__init__(404, "unknown_product", detail)


def from_bad_sample(error: BadSample, part: str | None = None) -> Refusal:
    """The refusal of a part that cannot be scored: 415, 413 or 422, by the kind of error.

    part: the field at fault; without it the field that the error names.
    """
    status = 422
    if isinstance(error, UnsupportedType):
        status = 415
    elif isinstance(error, TooLarge):
        status = 413
    return Refusal(status, error.code, str(error), part=part or error.field)


class NotActive(Refusal):
    """The request names a version that is not the active one."""

    def __init__(self, version: str | None) -> None:
        detail = f"Version {version} is not active. Activate the version, or leave the version out."
        super().__init__(404, "not_active", detail)


INTERNAL = Refusal(
    500, "internal", "The server failed on this request. Report the request id to its operator."
)
