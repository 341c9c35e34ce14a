"""Hooks for `Warm.start`: the server's scorer is the tests' stand-in, and it does something odd.

A hook runs in the server's process before the command does.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable


def dies() -> None:
    """The first part ends the thread that scores."""
    _serve(sys.exit)


def hangs() -> None:
    """The first part keeps the thread that scores for ten minutes."""
    _serve(lambda: time.sleep(600))


def _serve(before: Callable[[], None]) -> None:
    from service.engine import store_loader
    from tests.service.conftest import BrightnessDetector, OneProduct

    detector = BrightnessDetector()
    detector.before = before
    store_loader.StoreLoader = lambda *_, **__: OneProduct(detector)  # pyright: ignore[reportAttributeAccessIssue]
