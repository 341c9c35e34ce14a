"""The engine: a short queue of parts in front of the threads that score.

Only these threads warm up and score. If one of them dies or hangs, the service is no longer ready and every
waiting request fails at once.
"""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

from structlog.typing import FilteringBoundLogger

from banks.detector import PartResult
from banks.methods.memory_bank.search import free_dropped, indices_dropped
from models.readers.declared import UNDECLARED
from models.sample import BadSample, Sample
from recipes.sensor import Sensor
from service.engine.detectors import Loader, PartDetector, Residency, Served
from service.engine.device_memory import DeviceFull, with_room
from service.engine.futures import settle
from service.engine.residents import Residents
from service.engine.scorers import Scorers, Task
from service.engine.shadows import Shadowed, Shadows
from service.engine.turns import Turns
from service.refusals import (
    DeadlinePassed,
    NotReady,
    Overloaded,
    Refusal,
    ScoringStopped,
    SensorChanged,
    UnknownProduct,
    from_bad_sample,
)

ALL_IN_MEMORY = Residency()
"""All banks are in memory from the start on."""
_FREE_S = 1.0  # how soon an idle scoring thread frees the GPU memory of an unloaded bank


class Superseded(Exception):
    """Another server activated a version while the part was scored."""


@dataclass(frozen=True, slots=True)
class Scored:
    """A result, and the detector that made the result.

    queue_ms: milliseconds that the part waited for the scoring thread, or for its bank.
    shadow: the same part with the shadow version, if the product has a shadow.
    """

    result: PartResult
    detector: PartDetector
    queue_ms: float
    shadow: Shadowed | None = None


@dataclass(slots=True)
class _Job:
    """A part that waits for the scoring thread."""

    product: str
    sample: Sample
    deadline: float
    sensor: Sensor = UNDECLARED
    future: Future[Scored] = field(default_factory=Future)
    admitted: float = field(default_factory=time.monotonic)
    detector: PartDetector | None = None
    shadow: PartDetector | None = None
    wanted: str | None = None  # the version that the disk named when the part was queued


@dataclass(slots=True)
class _Call:
    """A call other than a part's scoring that only the scoring thread may make."""

    work: Callable[[], None]
    future: Future[None] = field(default_factory=Future)


class Engine:
    """Scores parts on its own threads. Any thread may call the methods."""

    def __init__(
        self,
        loader: Loader,
        *,
        queue_size: int,
        logger: FilteringBoundLogger,
        residency: Residency = ALL_IN_MEMORY,
        stuck_s: float = math.inf,
        scorers: int = 1,
    ) -> None:
        """Create an engine that does not run yet.

        loader: where the detectors come from.
        queue_size: the most parts that wait.
        residency: which banks may be in memory.
        stuck_s: seconds after which a part or a warm-up counts as hung.
        scorers: parts that are scored at once; 1 on a GPU.
        """
        self.residents = Residents(loader, on_owner=self._on_owner, residency=residency, logger=logger)
        self.queue_size = queue_size
        self._loader = loader
        self._logger = logger
        self._calls: deque[_Call] = deque()
        self._jobs: Turns[_Job] = Turns()
        self._waiting: Counter[str] = Counter()  # parts of each product, in the queue or before their bank
        self._shadows = Shadows(queue_size, logger)
        self._wake = threading.Condition()
        self._stage: Literal["running", "stopping", "dead"] = "running"
        self._draining = False
        self._stuck_s = stuck_s
        self._seconds_a_part = 0.5
        self._scorers = Scorers(scorers, take=self._next, ended=self._end, logger=logger)

    def start(self, recent: Sequence[str] = ()) -> None:
        """Load the products, warm them up, then score. recent: as in `Residents.start`."""
        self._scorers.start()
        self.residents.start(recent)

    def drain(self) -> None:
        """Report not ready and take no new parts. Parts that were taken are finished."""
        self._draining = True

    def close(self, timeout_s: float = 10.0) -> None:
        """Score the waiting parts, then stop."""
        with self._wake:
            if self._stage != "dead":
                self._stage = "stopping"
            self._wake.notify_all()
        if self._stage != "dead":
            self._scorers.join(timeout_s)
        self.residents.close(timeout_s)

    @property
    def waiting(self) -> int:
        """Parts in the queue, or waiting for their bank to be loaded."""
        return self._waiting.total()

    def alive(self) -> bool:
        """Whether the engine can still score.

        The call also ends an engine whose thread hangs, and fails the waiting parts. Call `alive` often.
        """
        if self._stage != "dead" and (seconds := self._scorers.longest_s()) > self._stuck_s:
            self._logger.error("owner_stuck", seconds=round(seconds, 1))
            self._end()
        if self._stage == "running" and not self.residents.alive():
            self._logger.error("loader_died")
            self._end()
        return self._stage != "dead"

    def products(self) -> dict[str, Served]:
        """All products by name, served or not."""
        return self.residents.products()

    def not_ready(self) -> list[str]:
        """Why the service is not ready, in sentences; empty when the service is ready.

        The service is ready when parts of at least one product can be scored. `products` says what is wrong
        with the others.
        """
        if self._draining or self._stage == "stopping":
            return ["The server is shutting down."]
        if not self.alive():
            return [
                "Scoring has stopped: the scoring thread or a loading thread crashed or hangs. Restart the "
                "server; its log has the cause."
            ]
        served = self.products()
        if any(s.state in ("serving", "idle") for s in served.values()):
            return []
        reasons = [f"{s.product}: {s.note}" for s in served.values() if s.state == "failed"]
        if not self.residents.settled or any(s.state == "loading" for s in served.values()):
            return [*reasons, "The server is loading its banks. Try again in a few seconds."]
        return reasons or ["No product has a bank. Build a bank with 'tribank build'."]

    def check(self, product: str) -> None:
        """Raise the refusal that a part of this product would get now, if any."""
        if self._draining:
            raise NotReady("shutting_down", "The server is shutting down. Send the part later.", close=True)
        self._check_served(product)

    def _check_served(self, product: str) -> None:
        """As `check`, but for a part that was taken before the shutdown began: such a part is finished."""
        if self._stage in ("dead", "stopping"):
            raise NotReady("not_running", "Scoring has stopped. The server must be restarted.")
        served = self.products().get(product)
        if served is None:
            if not self.residents.settled:
                raise NotReady("loading", "The server is loading its banks. Send the part again soon.")
            raise UnknownProduct
        if served.state == "loading" and not self.residents.settled:
            raise NotReady("loading", "The product's bank is being loaded. Send the part again soon.")
        if served.state == "failed":
            raise NotReady("bank_failed", "The product's bank cannot be loaded. GET /readyz says why.")

    def when_loaded(self, product: str) -> Future[Served]:
        """A future of the product with its bank in memory; done at once if the bank is in memory.

        Do not cancel the future: other parts may wait for the same future. Raises as `check`.
        """
        self._check_served(product)
        return self.residents.when_loaded(product)

    def retry_after_s(self) -> int:
        """Whole seconds until a place may be free: the seconds of one part for each part ahead."""
        return max(1, math.ceil((self.waiting + 1) * self._seconds_a_part / self._scorers.count))

    async def score(
        self, product: str, sample: Sample, *, deadline: float, sensor: Sensor = UNDECLARED
    ) -> Scored:
        """Score one part, as `submit` does; again where another server activated a version meanwhile. Raises
        Refusal."""
        while True:
            try:
                return await asyncio.wrap_future(
                    self.submit(product, sample, deadline=deadline, sensor=sensor)
                )
            except Superseded:
                await asyncio.shield(asyncio.wrap_future(self.residents.refresh(product)))

    def submit(
        self, product: str, sample: Sample, *, deadline: float, sensor: Sensor = UNDECLARED
    ) -> Future[Scored]:
        """Queue one part. A part whose future is cancelled before its turn costs nothing.

        The version that is active now scores the part, even if another version becomes active meanwhile.
        deadline: on the clock of time.monotonic.
        sensor: what was declared for the product when the part was decoded. A version that declares another
            sensor does not score the part.

        Raises Refusal. The future may hold a Refusal, or Superseded.
        """
        self._check_served(product)
        job = _Job(product, sample, deadline, sensor)
        with self._wake:
            if self._stage != "running":
                raise ScoringStopped()
            # A product without a waiting part may use a second queue length: other products cannot block it.
            if self.waiting >= self.queue_size * (1 if self._waiting[product] else 2):
                raise Overloaded(self.retry_after_s())
            self._waiting[product] += 1
        try:
            ready = self.residents.when_loaded(product)
        except BaseException:
            self._count_down(product)
            raise
        ready.add_done_callback(partial(self._enqueue, job))
        return job.future

    def _enqueue(self, job: _Job, ready: Future[Served]) -> None:
        """Queue a job whose bank was loaded, or fail the job. Runs on the thread that loaded the bank."""
        error = ready.exception()
        if error is None:
            served = ready.result()
            job.detector, job.shadow, job.wanted = served.detector, served.shadow, served.wanted
            with self._wake:
                if self._stage != "dead":
                    self._jobs.add(job.product, job)
                    self._wake.notify()
                    return
            error = ScoringStopped()
        self._count_down(job.product)
        if job.future.set_running_or_notify_cancel():
            job.future.set_exception(error)

    def _count_down(self, product: str) -> None:
        """One part of the product waits no longer."""
        with self._wake:
            self._waiting[product] -= 1
            self._waiting += Counter()  # removes the products without a waiting part

    def _on_owner(self, work: Callable[[], None]) -> Future[None]:
        """Make a call on the scoring thread, before any further part."""
        call = _Call(work)
        with self._wake:
            if self._stage == "running":
                self._calls.append(call)
                self._wake.notify()
                return call.future
        call.future.set_exception(ScoringStopped())
        return call.future

    def _end(self) -> None:
        """Score nothing more. Everything that runs or waits fails."""
        with self._wake:
            self._stage = "dead"
            jobs, calls, shadows = self._jobs.clear(), list(self._calls), self._shadows.clear()
            self._calls.clear()
            self._waiting.clear()
        for future in self._scorers.in_work():
            settle(future, ScoringStopped())
        for item in (*jobs, *calls):
            if item.future.set_running_or_notify_cancel():
                item.future.set_exception(ScoringStopped())
        for shadowed in shadows:
            shadowed.result.cancel()

    def _next(self) -> Task | None:
        """Wait for work: calls, then parts, then shadows. None when the engine stops and no part waits."""
        with self._wake:
            while True:
                if self._calls:
                    call = self._calls.popleft()
                    return Task(partial(_make, call), call.future)
                if self._jobs:
                    job = self._jobs.take()
                    self._count_down(job.product)
                    return Task(partial(self._work_on, job), job.future)
                if self._stage != "running":
                    return None
                if self._shadows:
                    sample, shadowed = self._shadows.take()
                    return Task(partial(self._shadows.score, sample, shadowed), shadowed.result)
                if indices_dropped():
                    return Task(free_dropped)
                self._wake.wait(_FREE_S)

    def _work_on(self, job: _Job) -> None:
        """Score a job's part and give the job's future the outcome."""
        if not job.future.set_running_or_notify_cancel():
            return
        started = time.monotonic()
        detector = job.detector
        if detector is None or started > job.deadline:
            job.future.set_exception(DeadlinePassed())
            return
        if detector.manifest.sensor != job.sensor:
            job.future.set_exception(SensorChanged())
            return
        result = self._score(detector, job)
        if isinstance(result, Refusal):
            settle(job.future, result)
            return
        if job.wanted is not None and self._loader.superseded(job.product, job.wanted):
            settle(job.future, Superseded())
            return
        spent = time.monotonic() - started
        self._seconds_a_part = 0.8 * self._seconds_a_part + 0.2 * spent
        shadow = self._queue_shadow(job, result.decision)
        settle(job.future, Scored(result, detector, (started - job.admitted) * 1000, shadow))

    def _score(self, detector: PartDetector, job: _Job) -> PartResult | Refusal:
        """A part's result, or its refusal. Raises an error that means that no part can be scored."""
        try:
            (result,) = with_room(lambda: detector.score([job.sample]))
        except Refusal as refusal:  # of a process that scores for this one
            return refusal
        except DeviceFull:
            self._logger.exception("device_full", product=job.product)
            return NotReady("device_full", "The GPU has no free memory for this part. Send the part again.")
        except Exception:
            self._logger.exception("scoring_failed", product=job.product)
            # Is the part at fault, or the machine? The warm-up scores a part that is known to be good: if
            # the warm-up fails too, the scoring thread ends.
            detector.warm_up()
            detail = "The server failed to score this part. The server's log has the cause."
            return Refusal(500, "scoring_failed", detail)
        return from_bad_sample(result) if isinstance(result, BadSample) else result

    def _queue_shadow(self, job: _Job, decision: str) -> Shadowed | None:
        """Queue the part for the product's shadow version, if the product has a shadow."""
        if job.shadow is None or job.shadow.manifest.sensor != job.sensor:
            return None
        shadowed = Shadowed(job.shadow, decision)
        with self._wake:
            self._shadows.add(job.sample, shadowed)
        return shadowed


def _make(call: _Call) -> None:
    if not call.future.set_running_or_notify_cancel():
        return
    try:
        call.work()
    except Exception as error:
        settle(call.future, error)
    else:
        settle(call.future, None)
