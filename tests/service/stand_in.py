"""Hooks for `Warm.start`: the scorer is the stand-in of the tests, and it does something odd; or builds do.

A hook runs in the server's process before the command does.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.faults import small_disk


def scores() -> None:
    """Nothing odd."""
    _serve(lambda: None)


def scores_on_a_small_disk() -> None:
    """Nothing odd, but `small_disk.environment` names a disk, and the disk is full."""
    small_disk.mount()
    with suppress(OSError):
        Path(os.environ["SMALL_DISK"], "fill").write_bytes(bytes(2 * int(os.environ["SMALL_DISK_BYTES"])))
    _serve(lambda: None)


def dies() -> None:
    """The first part ends the thread that scores."""
    _serve(sys.exit)


def hangs() -> None:
    """The first part keeps the thread that scores for ten minutes."""
    _serve(lambda: time.sleep(600))


def builds_wait() -> None:
    """The scorer is the real one. A build takes ten minutes, and no processor."""
    from service import commands

    commands.TRIBANK = ("sh", "-c", "exec sleep 600")


def _serve(before: Callable[[], None]) -> None:
    import service.app
    from tests.service.conftest import BrightnessDetector, OneProduct

    detector = BrightnessDetector()
    detector.before = before
    service.app.StoreLoader = lambda *_, **__: OneProduct(detector)  # pyright: ignore[reportAttributeAccessIssue]
