"""Jobs: work that goes on after its request. The queue is on disk, and products take turns."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

from structlog.typing import FilteringBoundLogger

from service.disk_faults import RecordsError, is_full
from service.http.gate import half
from service.http.problems import body_of
from service.jobs.store import MAX_ATTEMPTS, Job, JobStore
from service.jobs.task import JobStopped, Progress, Task
from service.refusals import INTERNAL, NotReady, Overloaded, Refusal
from service.threads import on_disk
from service.watch.metrics import Metrics

KEEP_JOBS = 1000
KEEP_S = 7 * 86_400.0
PAUSES_S = (1.0, 30.0)
"""Seconds until a failed write or a job that was put back is tried again: the first pause and the longest
pause. Each pause is twice as long as the pause before."""
FOLLOW_S = 0.5
"""Seconds between two looks at what other servers say of the jobs in a shared database."""
PATIENCE_S = 86_400.0
"""Seconds after which a job fails whose product still cannot be scored."""
MAX_PUT_BACK = 4
"""The limit of jobs that were put back, as a multiple of the limit of jobs that wait or run."""
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class _Pause:
    """The pause of a job that was put back.

    pause_s: the pause in seconds.
    since: when the job was put back first, on the clock of time.monotonic.
    until: when the job may run again, on the same clock.
    """

    pause_s: float
    since: float
    until: float


class JobKind(Protocol):
    """One kind of job."""

    @property
    def name(self) -> str: ...

    async def run(self, task: Task) -> Mapping[str, Any]:
        """Run a job. Calls that block must run on another thread.

        Returns the job's result, in JSON types. Raises NotReady to put the job back and run the job again
        later, another Refusal to fail the job with that problem, and JobStopped, which comes from `task`.
        """
        ...


class Jobs:
    """The queues of all kinds of job. For the event loop only, except where a docstring says otherwise."""

    def __init__(
        self,
        store: JobStore,
        *,
        most_waiting: int,
        keep_bytes: int,
        metrics: Metrics,
        logger: FilteringBoundLogger,
    ) -> None:
        """Create the queues; `start` runs the jobs.

        store: the jobs on disk.
        most_waiting: the most jobs that wait or run.
        keep_bytes: the most bytes of all jobs; the jobs that ended first are deleted above it.
        metrics: counts the jobs that end.
        """
        self.store = store
        self._keep_bytes = keep_bytes
        self._most_waiting = most_waiting
        self._metrics = metrics
        self._logger = logger
        self._kinds: dict[str, JobKind] = {}
        self._at_once: dict[str, int] = {}
        self._running: dict[str, Task] = {}
        self._pauses: dict[str, _Pause] = {}
        self.patience_s = PATIENCE_S
        self._wake: dict[str, asyncio.Event] = {}
        self._workers: dict[tuple[str, int], asyncio.Task[None]] = {}
        self._following: asyncio.Task[None] | None = None
        self._change = asyncio.Event()
        self._stopping = False
        self._loop: asyncio.AbstractEventLoop | None = None

    def register(self, kind: JobKind, *, at_once: int = 1) -> None:
        """Add a kind of job, of which so many run at once. Call `register` before `start`."""
        self._kinds[kind.name] = kind
        self._at_once[kind.name] = at_once
        self._wake[kind.name] = asyncio.Event()
        self._metrics.expect_jobs(kind.name)

    async def start(self) -> None:
        """Run the queued jobs as soon as the store is open."""
        self._loop = asyncio.get_running_loop()
        self._workers = {
            (name, number): asyncio.create_task(self._work(kind))
            for name, kind in self._kinds.items()
            for number in range(self._at_once[name])
        }
        if self.store.shared:
            self._following = asyncio.create_task(self._follow())

    def drain(self) -> None:
        """Interrupt the running jobs, which continue after the next start, and end every `watch`.

        Any thread.
        """
        self._stopping = True
        for task in list(self._running.values()):
            task.interrupted = True
        self._changed()

    def not_ready(self) -> list[str]:
        """Why jobs do not run, in sentences; empty when jobs run. Any thread."""
        if self._stopping:
            return []
        ended = dict.fromkeys(kind for (kind, _), worker in self._workers.items() if worker.done())
        return [f"Jobs of the kind {kind} no longer run. Restart the server." for kind in ended]

    async def stop(self, timeout_s: float = 10.0) -> None:
        """Drain, wait until the running jobs stop, and close the store."""
        self.drain()
        if self._following is not None:
            self._following.cancel()
        if self._workers:
            _, late = await asyncio.wait(self._workers.values(), timeout=timeout_s)
            for worker in late:
                worker.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await on_disk(self.store.close)

    def prune(self) -> None:
        """Delete ended jobs above the age, the number or the bytes.

        Blocks. Any thread. Raises RecordsError.
        """
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
        """Queue a job. The arguments are those of `JobStore.add`.

        Raises Refusal: 429 above the limit, or above half of the limit for one API key; 409 where another
        request used the idempotency key.
        """
        unfinished, put_back = await on_disk(self.store.unfinished), len(self._pauses)
        if unfinished - put_back >= self._most_waiting or put_back >= MAX_PUT_BACK * self._most_waiting:
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
        """Cancel a job that waits or runs. A job that has ended does not change. Raises Refusal."""
        job = await self.find(name)
        if name not in self._running and not job.ended:
            self._pauses.pop(name, None)
            await on_disk(lambda: self.store.end(name, "cancelled"))
        if (task := self._running.get(name)) is not None:  # also one that was taken meanwhile
            task.cancelled = True
        self._notify()
        return await self.find(name)

    async def find(self, name: str) -> Job:
        """The job with this id. Raises Refusal."""
        job = await on_disk(lambda: self.store.find(name))
        if job is None:
            raise unknown_job()
        return job

    def progress(self, name: str) -> Progress | None:
        """The progress of a running job; None for any other job."""
        task = self._running.get(name)
        return task.latest if task else None

    async def watch(self, name: str, *, every_s: float, idle_s: float) -> AsyncIterator[Job]:
        """The job now, and again after each change, until the job has ended or the service stops.

        every_s: the shortest time between two states.
        idle_s: the longest time between two states, even without a change.

        Raises Refusal.
        """
        while True:
            change = self._change
            job = await self.find(name)
            yield job
            if job.ended or self._stopping:
                return
            await asyncio.sleep(every_s)
            try:
                await asyncio.wait_for(change.wait(), idle_s)
            except TimeoutError:
                continue

    async def _work(self, kind: JobKind) -> None:
        """Run the jobs of one kind one after another. A failed job does not stop the next job."""
        while not self._stopping:
            try:
                paused = self._paused_jobs()
                job = await self._retry(kind, partial(self.store.take, kind.name, paused.keys()))
                if job is None:
                    await self._pause(kind, min(paused.values(), default=None))
                    continue
                await self._run(kind, job)
                await self._retry(kind, self.prune)
            except Exception:
                # One job must not end the worker of every job. The job continues after the next start.
                self._logger.exception("job_worker_failed", kind=kind.name)
                await self._pause(kind, PAUSES_S[0])

    async def _follow(self) -> None:
        """Stop the jobs that another server cancelled, and notify every `watch` of other changes."""
        seen = self.store.news
        while True:
            await asyncio.sleep(FOLLOW_S)
            if self.store.news == seen:
                continue
            news = self.store.news
            with suppress(OSError, RecordsError):  # and looks again
                for name in {*self._running, *self._pauses}:
                    if await on_disk(partial(self._has_ended, name)):
                        self._pauses.pop(name, None)
                        if (task := self._running.get(name)) is not None:
                            task.cancelled = True
                seen = news
            self._notify()

    def _has_ended(self, name: str) -> bool:
        """Whether a job was cancelled or deleted, on this server or another one. Blocks."""
        job = self.store.find(name)
        return job is None or job.ended

    async def _run(self, kind: JobKind, job: Job) -> None:
        """Run one job until the job ends or the service stops."""
        task = Task(job, self.store.input(job.id), self.store, self._changed)
        self._running[job.id] = task
        self._notify()
        started = time.monotonic()
        try:
            # Since the job was taken it may have been cancelled, or the service may have begun to stop.
            if await self._retry(kind, partial(self._has_ended, job.id)):
                task.cancelled = True
            if self._stopping:
                task.interrupted = True
            end: dict[str, Any] = await self._outcome_of(kind, task)
            if task.interrupted and end["state"] != "done":
                if not task.cancelled:
                    await self._retry(kind, lambda: self.store.put_back(job.id, counted=task.at_fault))
                end = {"state": "cancelled" if task.cancelled else "queued"}  # cancelled meanwhile, perhaps
            if end["state"] != "queued":
                self._pauses.pop(job.id, None)
                self._metrics.job_ended(kind.name, end["state"], time.monotonic() - started)
                await self._retry(kind, lambda: self.store.end(job.id, **end))
        finally:
            del self._running[job.id]
            self._notify()
        self._logger.info("job", job=job.id, kind=kind.name, product=job.product, state=end["state"])

    async def _outcome_of(self, kind: JobKind, task: Task) -> dict[str, Any]:
        """Run a job. Returns the arguments for `JobStore.end`."""
        name = task.job.id
        try:
            task.check()
            return {"state": "done", "result": await kind.run(task)}
        except JobStopped:
            return {"state": "cancelled"}
        except NotReady as refusal:
            # The job is not at fault. It continues after its last line, now or after a restart.
            task.at_fault = refusal.at_fault
            now, before = time.monotonic(), self._pauses.get(name)
            since = now if before is None else before.since
            if now - since > self.patience_s or (task.at_fault and task.job.attempts >= MAX_ATTEMPTS):
                return {"state": "failed", "problem": body_of(refusal, name)}
            task.interrupted = True
            pause = PAUSES_S[0] if before is None else min(2 * before.pause_s, PAUSES_S[1])
            self._pauses[name] = _Pause(pause, since, now + pause)
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

    async def _retry(self, kind: JobKind, call: Callable[[], _T]) -> _T:
        """Call the store again and again until the disk accepts the call.

        Raises the disk's error on a stop.
        """
        pause, longest = PAUSES_S
        while True:
            self._wake[kind.name].clear()
            try:
                return await on_disk(call)
            except (OSError, RecordsError) as error:
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

    def _paused_jobs(self) -> dict[str, float]:
        """The jobs whose pause is not over, and the seconds until the end of the pause."""
        now = time.monotonic()
        return {name: pause.until - now for name, pause in self._pauses.items() if pause.until > now}

    async def _pause(self, kind: JobKind, seconds: float | None) -> None:
        """Wait until the time is over, a job of this kind comes or the service stops.

        seconds: None means without a limit.
        """
        if self._stopping:
            return
        with suppress(TimeoutError):
            await asyncio.wait_for(self._wake[kind.name].wait(), seconds)

    def _changed(self) -> None:
        """Notify every `watch`. Any thread."""
        if self._loop is None:
            return
        with suppress(RuntimeError):  # a closed loop has no `watch` any more
            self._loop.call_soon_threadsafe(self._notify)

    def _notify(self) -> None:
        self._change.set()
        self._change = asyncio.Event()
        if self._stopping:
            for wake in self._wake.values():
                wake.set()


def unknown_job() -> Refusal:
    """The refusal of a job that does not exist."""
    return Refusal(404, "unknown_job", "There is no job with this id. Old jobs are deleted.")


def _disk_full() -> Refusal:
    detail = (
        "The server's disk was full. The job's lines until now are kept. Send the other parts again later."
    )
    return Refusal(507, "disk_full", detail)
