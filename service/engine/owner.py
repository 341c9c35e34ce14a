"""The thread that scores, and the short queue in front of it.

FAISS on a GPU is not safe even for concurrent reads, so one thread warms up and scores. Whatever ends that
thread, or holds it for too long, turns readiness off and fails the waiting requests at once.
"""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, TypeVar

from structlog.typing import FilteringBoundLogger

from banks.detector import PartResult
from banks.methods.memory_bank.search import free_dropped, indices_dropped
from models.sample import BadSample, Sample
from service.engine.detectors import Loader, PartDetector, Residency, Served
from service.engine.device_memory import DeviceFull, with_room
from service.engine.residents import Residents
from service.engine.turns import Turns
from service.refusals import (
    DeadlinePassed,
    NotReady,
    Overloaded,
    Refusal,
    ScoringStopped,
    UnknownProduct,
    from_bad_sample,
)

_T = TypeVar("_T")
EVERYTHING = Residency()
"""All banks in memory, from the start on."""
_FREE_S = 1.0  # how soon an idle owner frees what an unloaded bank held on a GPU


@dataclass(frozen=True, slots=True)
class Shadowed:
    """What a second version says of the same part, once there is time for it; cancelled if there is none.

    decided: the active version's decision.
    """

    detector: PartDetector
    decided: str
    result: Future[PartResult] = field(default_factory=Future)


@dataclass(frozen=True, slots=True)
class Scored:
    """A result, and the detector that made it."""

    result: PartResult
    detector: PartDetector
    queue_ms: float
    shadow: Shadowed | None = None


@dataclass(slots=True)
class _Job:
    product: str
    sample: Sample
    deadline: float
    future: Future[Scored] = field(default_factory=Future)
    admitted: float = field(default_factory=time.monotonic)
    detector: PartDetector | None = None
    shadow: PartDetector | None = None


@dataclass(slots=True)
class _Chore:
    """Something other than a part that only the owner thread may do."""

    work: Callable[[], None]
    future: Future[None] = field(default_factory=Future)


class Engine:
    """Scores parts one after another on its own thread. Its methods may be called from any thread."""

    def __init__(
        self,
        loader: Loader,
        *,
        queue_size: int,
        logger: FilteringBoundLogger,
        residency: Residency = EVERYTHING,
        stuck_s: float = math.inf,
    ) -> None:
        """stuck_s: a part or a warm-up that takes longer will never end."""
        self.residents = Residents(loader, on_owner=self._on_owner, residency=residency, logger=logger)
        self.queue_size = queue_size
        self._logger = logger
        self._chores: deque[_Chore] = deque()
        self._jobs: Turns[_Job] = Turns()
        self._held: Counter[str] = Counter()  # parts of each product, in the queue or waiting for their bank
        self._shadows: deque[tuple[Sample, Shadowed]] = deque()
        self._wake = threading.Condition()
        self._stage: Literal["running", "stopping", "dead"] = "running"
        self._draining = False
        self._stuck_s = stuck_s
        self._busy_since: float | None = None
        self._in_work: Future[Any] = Future()
        self._seconds_a_part = 0.5
        self._owner = threading.Thread(target=self._run, name="tribank-owner", daemon=True)

    def start(self) -> None:
        """Load the products, warm them up, then score."""
        self._owner.start()
        self.residents.start()

    def drain(self) -> None:
        """Say not ready and take no new parts; those in work are finished."""
        self._draining = True

    def close(self, timeout_s: float = 10.0) -> None:
        """Score what waits, then stop."""
        with self._wake:
            if self._stage != "dead":
                self._stage = "stopping"
            self._wake.notify_all()
        if self._owner.ident is not None and self._stage != "dead":
            self._owner.join(timeout_s)
        self.residents.close(timeout_s)

    @property
    def waiting(self) -> int:
        """Parts in the queue, or waiting for their bank to be loaded."""
        return self._held.total()

    def alive(self) -> bool:
        """Whether it can still score. What waits for a thread that hangs fails here, so ask often."""
        since = self._busy_since
        if since is not None and self._stage != "dead" and time.monotonic() - since > self._stuck_s:
            self._logger.error("owner_stuck", seconds=round(time.monotonic() - since, 1))
            self._end()
        if self._stage == "running" and not self.residents.alive():
            self._logger.error("loader_died")
            self._end()
        return self._stage != "dead"

    def products(self) -> dict[str, Served]:
        """All products by name, served or not."""
        return self.residents.products()

    def not_ready(self) -> list[str]:
        """What keeps the service from being ready, in sentences; empty when it is: when the parts of any
        product can be scored. What is the matter with the others stands in `products`."""
        if self._draining or self._stage == "stopping":
            return ["The service is shutting down."]
        if not self.alive():
            return ["A thread that scores or loads has stopped, or hangs. Restart the service."]
        served = self.products()
        if any(s.state in ("serving", "idle") for s in served.values()):
            return []
        reasons = [f"{s.product}: {s.note}" for s in served.values() if s.state == "failed"]
        if not self.residents.settled or any(s.state == "loading" for s in served.values()):
            return [*reasons, "The service is loading its banks."]
        return reasons or ["No product has a bank. Build one with 'tribank build'."]

    def check(self, product: str) -> None:
        """Raise the refusal that a part of this product would get now, if any."""
        if self._draining:
            raise NotReady("shutting_down", "The service is shutting down.", close=True)
        self._check_served(product)

    def _check_served(self, product: str) -> None:
        """The same for a part that was let in before the service began to shut down: it is finished."""
        if self._stage in ("dead", "stopping"):
            raise NotReady("not_running", "The service cannot score until it is restarted.")
        served = self.products().get(product)
        if served is None:
            if not self.residents.settled:
                raise NotReady("loading", "The service is loading its banks.")
            raise UnknownProduct
        if served.state == "loading" and not self.residents.settled:
            raise NotReady("loading", "The product's bank is being loaded.")
        if served.state == "failed":
            raise NotReady("bank_failed", "The product's bank cannot be served. GET /readyz says why.")

    def want(self, product: str) -> Future[Served]:
        """The product once its bank is in memory: at once, or when it is loaded. Do not cancel it: others may
        wait for it too. Raises as `check`."""
        self._check_served(product)
        return self.residents.want(product)

    def retry_after_s(self) -> int:
        """When a place may be free: the queue's length times the time a part takes, in whole seconds."""
        return max(1, math.ceil((self.waiting + 1) * self._seconds_a_part))

    async def score(self, product: str, sample: Sample, *, deadline: float) -> Scored:
        """Score one part. deadline: on the clock of time.monotonic. Raises Refusal."""
        return await asyncio.wrap_future(self.submit(product, sample, deadline=deadline))

    def submit(self, product: str, sample: Sample, *, deadline: float) -> Future[Scored]:
        """Queue one part. A job whose future is cancelled before its turn costs nothing.

        The version that is active now scores it, also if another one is activated meanwhile.
        """
        self._check_served(product)
        job = _Job(product, sample, deadline)
        with self._wake:
            if self._stage != "running":
                raise ScoringStopped()
            # a product without a part here finds a place of its own
            if self.waiting >= self.queue_size * (1 if self._held[product] else 2):
                raise Overloaded(self.retry_after_s())
            self._held[product] += 1
        try:
            ready = self.residents.want(product)
        except BaseException:
            self._leave(product)
            raise
        ready.add_done_callback(partial(self._enqueue, job))
        return job.future

    def _enqueue(self, job: _Job, ready: Future[Served]) -> None:
        """The job's bank is in memory, or will not be. Runs where that was found out."""
        error = ready.exception()
        if error is None:
            served = ready.result()
            job.detector, job.shadow = served.detector, served.shadow
            with self._wake:
                if self._stage != "dead":
                    self._jobs.add(job.product, job)
                    self._wake.notify()
                    return
            error = ScoringStopped()
        self._leave(job.product)
        if job.future.set_running_or_notify_cancel():
            job.future.set_exception(error)

    def _leave(self, product: str) -> None:
        with self._wake:
            self._held[product] -= 1
            self._held += Counter()  # forgets the products that hold nothing

    def _on_owner(self, work: Callable[[], None]) -> Future[None]:
        """Run a call on the owner thread, before any further part."""
        chore = _Chore(work)
        with self._wake:
            if self._stage == "running":
                self._chores.append(chore)
                self._wake.notify()
                return chore.future
        chore.future.set_exception(ScoringStopped())
        return chore.future

    def _run(self) -> None:
        """The owner thread."""
        try:
            while (taken := self._next()) is not None:
                work, self._in_work = taken
                self._busy_since = time.monotonic()
                work()
                self._busy_since = None
                # an idle owner holds no detector that was unloaded meanwhile
                del taken, work
                self._in_work = Future()
        except BaseException:
            self._logger.exception("owner_died")
        finally:
            self._end()

    def _end(self) -> None:
        """Score nothing more, and fail what is in work or waits."""
        with self._wake:
            self._stage = "dead"
            jobs, chores, shadows = self._jobs.clear(), list(self._chores), list(self._shadows)
            self._chores.clear()
            self._shadows.clear()
            self._held.clear()
        _tell(self._in_work, ScoringStopped())
        for item in (*jobs, *chores):
            if item.future.set_running_or_notify_cancel():
                item.future.set_exception(ScoringStopped())
        for _, shadowed in shadows:
            shadowed.result.cancel()

    def _next(self) -> tuple[Callable[[], None], Future[Any]] | None:
        """What to do next, and what hears of it: chores, then parts, then shadows; None when all is done and
        the engine stops."""
        with self._wake:
            while True:
                if self._chores:
                    chore = self._chores.popleft()
                    return partial(_do, chore), chore.future
                if self._jobs:
                    job = self._jobs.take()
                    self._leave(job.product)
                    return partial(self._work_on, job), job.future
                if self._stage != "running":
                    return None
                if self._shadows:
                    sample, shadowed = self._shadows.popleft()
                    return partial(self._shadow, sample, shadowed), shadowed.result
                if indices_dropped():
                    return free_dropped, Future()
                self._wake.wait(_FREE_S)

    def _work_on(self, job: _Job) -> None:
        if not job.future.set_running_or_notify_cancel():
            return
        started = time.monotonic()
        detector = job.detector
        if detector is None or started > job.deadline:
            job.future.set_exception(DeadlinePassed())
            return
        result = self._score(detector, job)
        if isinstance(result, Refusal):
            _tell(job.future, result)
            return
        spent = time.monotonic() - started
        self._seconds_a_part = 0.8 * self._seconds_a_part + 0.2 * spent
        shadow = self._put_off(job, result.decision)
        _tell(job.future, Scored(result, detector, (started - job.admitted) * 1000, shadow))

    def _score(self, detector: PartDetector, job: _Job) -> PartResult | Refusal:
        """What is to be said of a part. Raises whatever shows that no other part can be scored either."""
        try:
            (result,) = with_room(lambda: detector.score([job.sample]))
        except DeviceFull:
            self._logger.exception("device_full", product=job.product)
            return NotReady("device_full", "The device has no memory left for this part. Send it again.")
        except Exception:
            self._logger.exception("scoring_failed", product=job.product)
            # The part or the machine? If a part known to be good fails as well, this thread ends.
            detector.warm_up()
            return Refusal(500, "scoring_failed", "The service failed on this part.")
        return from_bad_sample(result) if isinstance(result, BadSample) else result

    def _put_off(self, job: _Job, decided: str) -> Shadowed | None:
        """Queue the part for the shadow. Of too many that wait, the oldest is given up."""
        if job.shadow is None:
            return None
        shadowed = Shadowed(job.shadow, decided)
        with self._wake:
            while len(self._shadows) >= self.queue_size:
                self._shadows.popleft()[1].result.cancel()
            self._shadows.append((job.sample, shadowed))
        return shadowed

    def _shadow(self, sample: Sample, shadowed: Shadowed) -> None:
        if not shadowed.result.set_running_or_notify_cancel():
            return
        try:
            (result,) = shadowed.detector.score([sample])
        except Exception as error:
            # A version on trial must not end the one that serves.
            self._logger.exception("shadow_failed", bank_version=shadowed.detector.version)
            result = error
        if isinstance(result, Exception):
            _tell(shadowed.result, result)
            return
        self._logger.info(
            "part_shadowed",
            product=shadowed.detector.product,
            bank_version=shadowed.detector.version,
            score=round(result.score, 6),
            decision=result.decision,
            agrees=result.decision == shadowed.decided,
            is_simulated=True,
        )
        _tell(shadowed.result, result)


def _do(chore: _Chore) -> None:
    if not chore.future.set_running_or_notify_cancel():
        return
    try:
        chore.work()
    except Exception as error:
        _tell(chore.future, error)
    else:
        _tell(chore.future, None)


def _tell(future: Future[_T], outcome: _T | BaseException) -> None:
    """Unless the wait for it was given up meanwhile."""
    with suppress(InvalidStateError):
        if isinstance(outcome, BaseException):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)
