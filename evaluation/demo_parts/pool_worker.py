"""Worker processes that end with the process that started them, and by it alone."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import wait


def end_with_parent() -> None:
    """The initializer of a pool's workers: this process ends as soon as its parent has ended.

    A parent that is killed cannot tell its workers to stop. Without this function they would wait for ever,
    because each of them keeps the queue of the pool open.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_after, args=(parent.sentinel,), name="parent", daemon=True).start()


@contextmanager
def without_ctrl_c() -> Iterator[None]:
    """Workers that start within never see Ctrl-C, which a terminal sends to them too: they inherit that the
    signal is blocked, from their first moment on. Their parent gets it after the block, and ends them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end_after(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)
