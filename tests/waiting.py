"""Waiting for what another thread or process does: with an end, and with a word of what did not happen."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")


def until(condition: Callable[[], Found], what: str, *, seconds: float = 200.0, every: float = 0.01) -> Found:
    """Ask `condition` until it is true, and return what it then gave.

    what: names what is waited for, for the message.
    seconds: far above what a busy machine needs, and below pytest's own limit (pyproject.toml), which would
    end the test without saying what it waited for. every: seconds between two askings.
    Raises AssertionError where it is not true in time.
    """
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, f"{what}: not within {seconds:g} s"
        time.sleep(every)
    return found
