"""A pool of threads that can tell whether its threads are alive."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor


class Workers(ThreadPoolExecutor):
    """A thread pool. Python's own counts a thread that died as one that is free, so its work would wait for
    ever."""

    def __init__(self, threads: int, name: str) -> None:
        self._seen: list[threading.Thread] = []
        self._ended = False
        super().__init__(threads, name, initializer=lambda: self._seen.append(threading.current_thread()))

    def alive(self) -> bool:
        """Whether every thread that was ever started is alive, or the pool was shut down."""
        return self._ended or all(thread.is_alive() for thread in tuple(self._seen))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """As ThreadPoolExecutor's."""
        self._ended = True
        super().shutdown(wait, cancel_futures=cancel_futures)
