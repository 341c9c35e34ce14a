"""Requests that get an answer other than success, as exceptions. `http.problems` gives them their form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.sample import BadSample, TooLarge, UnsupportedType


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


class NotActive(Refusal):
    """The request names a version that is not the active one."""

    def __init__(self, version: str | None) -> None:
        detail = f"Version {version} is not the active one. Activate it, or name no version."
        super().__init__(404, "not_active", detail)


INTERNAL = Refusal(500, "internal", "The service failed on this request. Tell its operator the request id.")
