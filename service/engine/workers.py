"""A thread pool that knows whether its threads are alive."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor


class Workers(ThreadPoolExecutor):
    """A thread pool that notices a dead thread.

    Python's own pool counts a dead thread as a free thread, so that work would wait for ever.
    """

    def __init__(self, threads: int, name: str) -> None:
        self._started: list[threading.Thread] = []
        self._shut_down = False
        super().__init__(threads, name, initializer=lambda: self._started.append(threading.current_thread()))

    def alive(self) -> bool:
        """Whether every thread that was started is alive. True after `shutdown`."""
        return self._shut_down or all(thread.is_alive() for thread in tuple(self._started))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """As `shutdown` of ThreadPoolExecutor."""
        self._shut_down = True
        super().shutdown(wait, cancel_futures=cancel_futures)
