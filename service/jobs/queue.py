"""Work that outlives its request: queued on disk, run one at a time for each kind, watched and cancelled."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

from structlog.typing import FilteringBoundLogger

from service.disk_faults import is_full
from service.http.gate import half
from service.http.problems import body_of
from service.jobs.store import Job, JobStore
from service.refusals import INTERNAL, NotReady, Overloaded, Refusal, ScoringStopped
from service.threads import on_disk

KEEP_JOBS = 1000
KEEP_S = 7 * 86_400.0
PAUSES_S = (1.0, 30.0)
"""How long until a failed write, or a job that the service was not ready for, is tried again: at first,
doubled each time, and at most."""
PATIENCE_S = 86_400.0
"""How long a job waits for a product that cannot be scored."""
MOST_RESTING = 4
"""Jobs that rest, beside those that wait or run: so many times the bound of these."""
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class _Rest:
    """A job that was put back. since, until: on the clock of time.monotonic."""

    pause_s: float
    since: float
    until: float


class JobStopped(Exception):
    """Raised inside a job that is to stop: it was cancelled, or the service shuts down."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a running job is. first, since: what was done when it was first told of the stage, and when, on
    the clock of time.monotonic. number, stages: the stage's place and how many there are; None where that is
    not known."""

    stage: str
    done: int
    total: int
    first: int
    since: float
    number: int | None = None
    stages: int | None = None

    def eta_s(self) -> float | None:
        """Seconds until the stage is done, at the pace since it was first told of; None before a step."""
        steps = self.done - self.first
        if steps <= 0:
            return None
        return (time.monotonic() - self.since) / steps * (self.total - self.done)


class Task:
    """What a running job works with. Its methods may be called from any thread.

    job: what was asked. folder: its input. stages: the names of all that it goes through, in order, where
    they are known. A job stops by itself: it calls `progress` or `check` often.
    """

    def __init__(self, job: Job, folder: Path, store: JobStore, changed: Callable[[], None]) -> None:
        self.job = job
        self.folder = folder
        self.stages: Sequence[str] = ()
        self.latest: Progress | None = None
        self.cancelled = False
        self.interrupted = False
        self.stopped_scoring = False  # the thread that scores ended while it ran, perhaps by it
        self._store = store
        self._changed = changed
        self._lock = threading.Lock()

    def check(self) -> None:
        """Raises JobStopped when the job is to stop."""
        if self.cancelled or self.interrupted:
            raise JobStopped

    def progress(self, stage: str, done: int, total: int) -> None:
        """Tell that `done` of `total` of a stage are done. Raises JobStopped."""
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
        """Append one line to the results; it is on disk when this returns. Blocks."""
        self._store.add_line(self.job.id, line)

    def count_lines(self) -> int:
        """Result lines so far; more than none where an earlier run was interrupted. Blocks."""
        return self._store.count_lines(self.job.id)


class JobKind(Protocol):
    """What a kind of job does."""

    @property
    def name(self) -> str: ...

    async def run(self, task: Task) -> Mapping[str, Any]:
        """Do the job; returns its result, JSON types. What must block goes to a thread. A NotReady puts it
        back, and it is run again later; any other Refusal fails it with that problem; JobStopped comes from
        `task` and is let through."""
        ...


class Jobs:
    """The queue of every kind. For the event loop only, but for what a Task calls."""

    def __init__(
        self, store: JobStore, *, most_waiting: int, keep_bytes: int, logger: FilteringBoundLogger
    ) -> None:
        """keep_bytes: most that all jobs take; those that ended first are forgotten."""
        self.store = store
        self._keep_bytes = keep_bytes
        self._most_waiting = most_waiting
        self._logger = logger
        self._kinds: dict[str, JobKind] = {}
        self._running: dict[str, Task] = {}
        self._rests: dict[str, _Rest] = {}
        self.patience_s = PATIENCE_S
        self._wake: dict[str, asyncio.Event] = {}
        self._workers: dict[str, asyncio.Task[None]] = {}
        self._tick = asyncio.Event()
        self._stopping = False
        self._loop: asyncio.AbstractEventLoop | None = None

    def register(self, kind: JobKind) -> None:
        """Before `start`: a kind of job that this service runs."""
        self._kinds[kind.name] = kind
        self._wake[kind.name] = asyncio.Event()

    async def start(self) -> None:
        """Take up what waits, as soon as the store is open."""
        self._loop = asyncio.get_running_loop()
        self._workers = {name: asyncio.create_task(self._work(kind)) for name, kind in self._kinds.items()}

    def drain(self) -> None:
        """Interrupt what runs, to be taken up at the next start; those who watch hear no more. Any thread."""
        self._stopping = True
        for task in list(self._running.values()):
            task.interrupted = True
        self._changed()

    def not_ready(self) -> list[str]:
        """What keeps jobs from being run, in sentences; empty when nothing does. Any thread."""
        ended = [kind for kind, worker in self._workers.items() if worker.done()]
        return [] if self._stopping else [f"No {kind} jobs are run. Restart the service." for kind in ended]

    async def stop(self, timeout_s: float = 10.0) -> None:
        """Drain, and wait for what runs to stop."""
        self.drain()
        if self._workers:
            _, late = await asyncio.wait(self._workers.values(), timeout=timeout_s)
            for worker in late:
                worker.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await on_disk(self.store.close)

    def prune(self) -> None:
        """Forget ended jobs that are too old or too many. Blocks; any thread. Raises sqlite3.Error."""
        self.store.prune(keep=KEEP_JOBS, older_than_s=KEEP_S, keep_bytes=self._keep_bytes)

    async def submit(
        self,
        kind: str,
        product: str,
        request: Mapping[str, Any],
        *,
        folder: Path | None = None,
        key: str | None = None,
        digest: str = "",
        owner: str | None = None,
    ) -> Job:
        """Queue a job; arguments as `JobStore.add`. Raises Refusal: 429 above the bound, or above its half
        for one key; 409 by key."""
        unfinished, resting = await on_disk(self.store.unfinished), len(self._rests)
        if unfinished - resting >= self._most_waiting or resting >= MOST_RESTING * self._most_waiting:
            raise Overloaded(60)
        if owner is not None:
            own = await on_disk(lambda: self.store.unfinished(owner))
            if own >= half(self._most_waiting):
                raise Overloaded(60)
        job = await on_disk(
            lambda: self.store.add(kind, product, request, folder=folder, key=key, digest=digest, owner=owner)
        )
        self._wake[kind].set()
        return job

    async def cancel(self, name: str) -> Job:
        """Cancel a job that waits or runs; one that has ended stays as it is. Raises Refusal."""
        job = await self.find(name)
        task = self._running.get(name)
        if task is not None:
            task.cancelled = True
        elif not job.ended:
            self._rests.pop(name, None)
            await on_disk(lambda: self.store.end(name, "cancelled"))
        self._notify()
        return await self.find(name)

    async def find(self, name: str) -> Job:
        """The job of that id. Raises Refusal."""
        job = await on_disk(lambda: self.store.find(name))
        if job is None:
            raise Refusal(404, "unknown_job", "There is no such job; it may have been removed by age.")
        return job

    def progress(self, name: str) -> Progress | None:
        """How far a running job is."""
        task = self._running.get(name)
        return task.latest if task else None

    async def watch(self, name: str, *, every_s: float, idle_s: float) -> AsyncIterator[Job]:
        """The job now, then whenever it may have changed (at most each `every_s`, at least each `idle_s`),
        until it has ended or the service stops."""
        while True:
            tick = self._tick
            job = await self.find(name)
            yield job
            if job.ended or self._stopping:
                return
            await asyncio.sleep(every_s)
            try:
                await asyncio.wait_for(tick.wait(), idle_s)
            except TimeoutError:
                continue

    async def _work(self, kind: JobKind) -> None:
        """Run the jobs of one kind, one after another, whatever becomes of each."""
        while not self._stopping:
            try:
                resting = self._resting()
                job = await self._written(kind, partial(self.store.take, kind.name, resting.keys()))
                if job is None:
                    await self._pause(kind, min(resting.values(), default=None))
                    continue
                await self._run(kind, job)
                await self._written(kind, self.prune)
            except Exception:
                # One job must not end the worker of all: this one is taken up again at the next start.
                self._logger.exception("job_worker_failed", kind=kind.name)
                await self._pause(kind, PAUSES_S[0])

    async def _run(self, kind: JobKind, job: Job) -> None:
        """Run one job until it ends or the service stops."""
        task = Task(job, self.store.input(job.id), self.store, self._changed)
        self._running[job.id] = task
        self._notify()
        try:
            end = await self._end_of(kind, task)
            if task.interrupted and end["state"] != "done" and not task.cancelled:
                end = {"state": "queued"}
                await self._written(kind, lambda: self.store.put_back(job.id, counted=task.stopped_scoring))
            else:
                self._rests.pop(job.id, None)
                await self._written(kind, lambda: self.store.end(job.id, **end))
        finally:
            del self._running[job.id]
            self._notify()
        self._logger.info("job", job=job.id, kind=kind.name, product=job.product, state=end["state"])

    async def _end_of(self, kind: JobKind, task: Task) -> dict[str, Any]:
        """Do a job; what `JobStore.end` is to be told of it."""
        name = task.job.id
        try:
            return {"state": "done", "result": await kind.run(task)}
        except JobStopped:
            return {"state": "cancelled"}
        except NotReady as refusal:
            # No fault of the job's: it goes on from its last line, here or after a restart.
            task.stopped_scoring = isinstance(refusal, ScoringStopped)
            now, before = time.monotonic(), self._rests.get(name)
            since = now if before is None else before.since
            if now - since > self.patience_s:
                return {"state": "failed", "problem": body_of(refusal, name)}
            task.interrupted = True
            pause = PAUSES_S[0] if before is None else min(2 * before.pause_s, PAUSES_S[1])
            self._rests[name] = _Rest(pause, since, now + pause)
            self._logger.info("job_put_back", job=name, reason=refusal.detail, again_in_s=pause)
            return {"state": "cancelled"}
        except Refusal as refusal:
            return {"state": "failed", "problem": body_of(refusal, name)}
        except asyncio.CancelledError:
            task.interrupted = True
            return {"state": "cancelled"}
        except Exception as error:
            self._logger.exception("job_failed", job=name, kind=kind.name)
            problem = _disk_full() if is_full(error) else INTERNAL
            return {"state": "failed", "problem": body_of(problem, name)}

    async def _written(self, kind: JobKind, call: Callable[[], _T]) -> _T:
        """What the store answers, asked again until the disk lets it. Raises its error on a stop."""
        pause, longest = PAUSES_S
        while True:
            self._wake[kind.name].clear()
            try:
                return await on_disk(call)
            except (OSError, sqlite3.Error) as error:
                if self._stopping:
                    raise
                self._logger.error(
                    "jobs_not_written",
                    kind=kind.name,
                    reason=str(error),
                    again_in_s=pause,
                    full=is_full(error),
                )
            await self._pause(kind, pause)
            pause = min(2 * pause, longest)

    def _resting(self) -> dict[str, float]:
        """Jobs that are not taken up again yet, and in how many seconds they are."""
        now = time.monotonic()
        return {name: rest.until - now for name, rest in self._rests.items() if rest.until > now}

    async def _pause(self, kind: JobKind, seconds: float | None) -> None:
        """Wait, also for ever, unless a job of that kind comes or the service stops."""
        if self._stopping:
            return
        with suppress(TimeoutError):
            await asyncio.wait_for(self._wake[kind.name].wait(), seconds)

    def _changed(self) -> None:
        """From any thread."""
        if self._loop is None:
            return
        with suppress(RuntimeError):  # the loop may be gone: nobody watches any more
            self._loop.call_soon_threadsafe(self._notify)

    def _notify(self) -> None:
        self._tick.set()
        self._tick = asyncio.Event()
        if self._stopping:
            for wake in self._wake.values():
                wake.set()


def _disk_full() -> Refusal:
    detail = "The disk of the state folder was full. The job's lines so far stay; send the rest again later."
    return Refusal(507, "disk_full", detail)
