"""Giving a future its outcome, where another thread may have given the future an outcome already."""

from __future__ import annotations

from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import TypeVar

_T = TypeVar("_T")


def settle(future: Future[_T], outcome: _T | BaseException) -> None:
    """Give a future its result or its exception.

    A future that is cancelled or has an outcome stays as it is.
    """
    with suppress(InvalidStateError):
        if isinstance(outcome, BaseException):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)
