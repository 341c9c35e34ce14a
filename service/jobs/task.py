"""A running job, as the job itself sees it: the input, the progress, the results, and whether to stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from service.jobs.store import Job, JobStore


class JobStopped(Exception):
    """Raised inside a job that must stop: the job was cancelled, or the service is shutting down."""


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a running job.

    stage: the stage's name.
    done, total: the finished steps and all steps of the stage.
    first, since: the finished steps and the time at the stage's first report, on the clock of time.monotonic.
    number, stages: the stage's number and the number of stages; None where they are not known.
    """

    stage: str
    done: int
    total: int
    first: int
    since: float
    number: int | None = None
    stages: int | None = None

    def eta_s(self) -> float | None:
        """Seconds until the stage is done, at the pace since its first report; None without a finished
        step."""
        steps = self.done - self.first
        if steps <= 0:
            return None
        return (time.monotonic() - self.since) / steps * (self.total - self.done)


class Task:
    """A running job. Any thread may call the methods.

    A job must call `progress` or `check` often: both raise JobStopped when the job must stop.

    job: the job on record.
    folder: the job's input.
    stages: the names of the job's stages in order, where they are known.
    """

    def __init__(self, job: Job, folder: Path, store: JobStore, changed: Callable[[], None]) -> None:
        self.job = job
        self.folder = folder
        self.stages: Sequence[str] = ()
        self.latest: Progress | None = None
        self.cancelled = False
        self.interrupted = False
        self.at_fault = False  # the job has to run again, and may itself be the cause
        self._store = store
        self._changed = changed
        self._lock = threading.Lock()

    def check(self) -> None:
        """Raise JobStopped when the job must stop."""
        if self.cancelled or self.interrupted:
            raise JobStopped

    def progress(self, stage: str, done: int, total: int) -> None:
        """Report that `done` of `total` steps of a stage are finished. Raises JobStopped."""
        self.check()
        with self._lock:
            last = self.latest
            if last is not None and last.stage == stage:
                self.latest = replace(last, done=done, total=total)
            else:
                place = (list(self.stages).index(stage) + 1, len(self.stages)) if stage in self.stages else ()
                self.latest = Progress(stage, done, total, done, time.monotonic(), *place)
        self._changed()

    def add_line(self, line: str) -> None:
        """Append one line to the results. The line is on disk when the call returns. Blocks."""
        self._store.add_line(self.job.id, line)

    def count_lines(self) -> int:
        """The number of result lines; above 0 at the start where an earlier run was interrupted. Blocks."""
        return self._store.count_lines(self.job.id)
