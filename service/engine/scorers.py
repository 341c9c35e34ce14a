"""The threads that score. On a GPU there is one: FAISS on a GPU is not safe even for concurrent reads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from structlog.typing import FilteringBoundLogger

from models.numerics.process import threads_in_use, use_threads_here

_MOST = 4
"""Parts that are scored at once where nobody asks for more. Each of them takes memory."""


def scorers_on(device: str, wanted: int | None) -> int:
    """How many parts are scored at once.

    device: "cpu" or a GPU, which scores one. wanted: None for one a core, at most 4.
    """
    if device != "cpu":
        return 1
    return wanted or min(_MOST, threads_in_use())


@dataclass(slots=True)
class Task:
    """Work for a scoring thread. future: gets the outcome."""

    run: Callable[[], None]
    future: Future[Any] = field(default_factory=Future)


@dataclass(frozen=True, slots=True)
class _Begun:
    """A task that a thread works on, and when the thread began, on the clock of time.monotonic."""

    task: Task
    since: float


class Scorers:
    """Threads that take tasks until there are no more. Any thread may call the methods.

    Threads that work at the same time share the cores: one part alone uses all of them.
    """

    def __init__(
        self,
        count: int,
        *,
        take: Callable[[], Task | None],
        ended: Callable[[], None],
        logger: FilteringBoundLogger,
    ) -> None:
        """Create threads that do not run yet.

        count: number of threads.
        take: waits for the next task; None ends a thread.
        ended: called when a thread has crashed, and when the last thread has ended.
        """
        self.count = count
        self._take = take
        self._ended = ended
        self._logger = logger
        self._cores = threads_in_use()
        self._begun: list[_Begun | None] = [None] * count
        self._left = count
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._run, args=(number,), name=f"tribank-scorer-{number}", daemon=True)
            for number in range(count)
        ]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def join(self, timeout_s: float) -> None:
        """Wait until the threads that were started have ended, at most `timeout_s` in all."""
        until = time.monotonic() + timeout_s
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(0.0, until - time.monotonic()))

    def longest_s(self) -> float:
        """Seconds since the oldest task in work began; 0 where no thread works."""
        return max((time.monotonic() - begun.since for begun in self._in_work()), default=0.0)

    def in_work(self) -> list[Future[Any]]:
        """The futures of the tasks that the threads work on, or crashed on."""
        return [begun.task.future for begun in self._in_work()]

    def _in_work(self) -> list[_Begun]:
        return [begun for begun in self._begun if begun is not None]

    def _run(self, number: int) -> None:
        crashed = True
        try:
            while (task := self._take()) is not None:
                self._begun[number] = _Begun(task, time.monotonic())
                if self.count > 1:
                    use_threads_here(max(1, self._cores // len(self._in_work())))
                task.run()
                # An idle thread must not keep a detector in memory that was unloaded meanwhile.
                del task
                self._begun[number] = None
            crashed = False
        except BaseException:
            self._logger.exception("owner_died")
        finally:
            with self._lock:
                self._left -= 1
                last = not self._left
            if crashed or last:
                self._ended()
