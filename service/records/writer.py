"""The thread that writes records, so that no part and no answer waits for a slow disk."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

_T = TypeVar("_T")
MAX_BYTES = 256 << 20
"""The most bytes that wait to be written. More is refused."""


class QueueFull(RuntimeError):
    """Too many bytes wait to be written, or the writer is closed."""


class RecordWriter:
    """Makes calls one after another on its own thread. Any thread may call the methods."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._lock = threading.Lock()
        self._since: float | None = None
        self._pool = ThreadPoolExecutor(1, "tribank-record")
        self.closing = threading.Event()
        """Set by `close`: a call that tries again and again should stop."""

    def submit(self, work: Callable[[], _T], *, size: int) -> Future[_T]:
        """Queue a call. size: bytes of memory that the call holds until it is made. Raises QueueFull."""
        with self._lock:
            if self.closing.is_set() or self._bytes + size > self._max_bytes:
                raise QueueFull("Too many results wait to be written. The disk is too slow.")
            self._bytes += size
            future = self._pool.submit(self._make, work)
        future.add_done_callback(lambda _: self._free(size))
        return future

    def busy_s(self) -> float:
        """Seconds that the current call has taken; 0 without a call."""
        since = self._since
        return 0.0 if since is None else time.monotonic() - since

    def close(self) -> None:
        """Make the calls that wait and accept no more. Blocks."""
        with self._lock:
            self.closing.set()
        self._pool.shutdown()

    def _make(self, work: Callable[[], _T]) -> _T:
        self._since = time.monotonic()
        try:
            return work()
        finally:
            self._since = None

    def _free(self, size: int) -> None:
        with self._lock:
            self._bytes -= size
