"""The thread that writes the record, so that neither a part nor its answer waits for a slow disk."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

_T = TypeVar("_T")
MOST_BYTES = 256 << 20
"""Of what waits to be written; what comes above it is lost."""


class NoRoom(RuntimeError):
    """Too much waits to be written, or the writer is closed."""


class RecordWriter:
    """Does one thing after another on its own thread, in the order in which it was told. Any thread."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._lock = threading.Lock()
        self._since: float | None = None
        self._pool = ThreadPoolExecutor(1, "tribank-record")
        self.closing = threading.Event()
        """What tries again and again should stop."""

    def submit(self, work: Callable[[], _T], *, size: int) -> Future[_T]:
        """Do it in its turn. size: bytes of memory that it holds until then. Raises NoRoom."""
        with self._lock:
            if self.closing.is_set() or self._bytes + size > self._most_bytes:
                raise NoRoom("Too much waits to be put on record.")
            self._bytes += size
            future = self._pool.submit(self._do, work)
        future.add_done_callback(lambda _: self._leave(size))
        return future

    def busy_s(self) -> float:
        """How long what it does now has taken."""
        since = self._since
        return 0.0 if since is None else time.monotonic() - since

    def close(self) -> None:
        """Do what waits, and nothing more. Blocks."""
        with self._lock:
            self.closing.set()
        self._pool.shutdown()

    def _do(self, work: Callable[[], _T]) -> _T:
        self._since = time.monotonic()
        try:
            return work()
        finally:
            self._since = None

    def _leave(self, size: int) -> None:
        with self._lock:
            self._bytes -= size
