"""The thread that owns the detectors, and the short queue in front of it.

FAISS on a GPU is not safe even for concurrent reads, so one thread loads, warms up and scores. Whatever
ends that thread turns readiness off and fails the waiting requests at once.
"""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Literal, Protocol

from structlog.typing import FilteringBoundLogger

from banks.detector import PartResult
from banks.manifest import Manifest
from models.sample import BadSample, Sample
from service.problems import DeadlinePassed, NotReady, Overloaded, Refusal, UnknownProduct, from_bad_sample


class PartDetector(Protocol):
    """What the engine needs of `banks.detector.Detector`."""

    @property
    def product(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def manifest(self) -> Manifest: ...
    def score(self, samples: Sequence[Sample]) -> list[PartResult | BadSample]: ...
    def warm_up(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Loaded:
    """A product's detector. note: what an operator should know, such as a version that was passed over."""

    detector: PartDetector
    note: str = ""


class Loader(Protocol):
    """Where detectors come from; called on the owner thread."""

    def products(self) -> list[str]: ...
    def load(self, product: str) -> Loaded: ...


@dataclass(frozen=True, slots=True)
class Served:
    """One product as the engine has it now."""

    product: str
    state: Literal["loading", "serving", "failed"]
    detector: PartDetector | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Scored:
    """A result, and the detector that made it."""

    result: PartResult
    detector: PartDetector
    queue_ms: float


@dataclass(slots=True)
class _Job:
    product: str
    sample: Sample
    deadline: float
    future: Future[Scored] = field(default_factory=Future)
    admitted: float = field(default_factory=time.monotonic)


class Engine:
    """Scores parts one after another on its own thread. Its methods may be called from any thread."""

    def __init__(self, loader: Loader, *, queue_size: int, logger: FilteringBoundLogger) -> None:
        self._loader = loader
        self._queue_size = queue_size
        self._logger = logger
        self._jobs: deque[_Job] = deque()
        self._wake = threading.Condition()
        self._served: dict[str, Served] = {}
        self._stage: Literal["loading", "running", "stopping", "dead"] = "loading"
        self._draining = False
        self._seconds_a_part = 0.5
        self._owner = threading.Thread(target=self._run, name="tribank-owner", daemon=True)

    def start(self) -> None:
        """Load the products, warm them up, then score."""
        self._owner.start()

    def drain(self) -> None:
        """Say not ready and take no new parts; those in work are finished."""
        self._draining = True

    def close(self, timeout_s: float = 10.0) -> None:
        """Score what waits, then stop."""
        with self._wake:
            if self._stage != "dead":
                self._stage = "stopping"
            self._wake.notify_all()
        if self._owner.ident is not None:
            self._owner.join(timeout_s)

    def products(self) -> dict[str, Served]:
        """All products by name, served or not."""
        return dict(self._served)

    def not_ready(self) -> list[str]:
        """What keeps the service from being ready, in sentences; empty when it is."""
        if self._draining or self._stage == "stopping":
            return ["The service is shutting down."]
        if self._stage == "dead":
            return ["The thread that scores has stopped. Restart the service."]
        served = self.products()
        reasons = [f"{s.product}: {s.note or s.state}" for s in served.values() if s.state != "serving"]
        if not served and self._stage == "running":
            reasons.append("No product has a bank. Build one with 'tribank build', then restart the service.")
        elif self._stage == "loading":
            reasons.append("The service is loading its banks.")
        return reasons

    def check(self, product: str) -> None:
        """Raise the refusal that a part of this product would get now, if any."""
        if self._draining:
            raise NotReady("shutting_down", "The service is shutting down.", close=True)
        if self._stage in ("dead", "stopping"):
            raise NotReady("not_running", "The service cannot score until it is restarted.")
        served = self._served.get(product)
        if served is None:
            if self._stage == "loading":
                raise NotReady("loading", "The service is loading its banks.")
            raise UnknownProduct
        if served.state == "loading":
            raise NotReady("loading", "The product's bank is being loaded.")
        if served.state == "failed":
            raise NotReady("bank_failed", "The product's bank cannot be served. GET /readyz says why.")

    def retry_after_s(self) -> int:
        """When a place may be free: the queue's length times the time a part takes, in whole seconds."""
        return max(1, math.ceil((len(self._jobs) + 1) * self._seconds_a_part))

    async def score(self, product: str, sample: Sample, *, deadline: float) -> Scored:
        """Score one part. deadline: on the clock of time.monotonic. Raises Refusal."""
        return await asyncio.wrap_future(self.submit(product, sample, deadline=deadline))

    def submit(self, product: str, sample: Sample, *, deadline: float) -> Future[Scored]:
        """Queue one part. A job whose future is cancelled before its turn costs nothing."""
        self.check(product)
        job = _Job(product, sample, deadline)
        with self._wake:
            if self._stage != "running" and self._stage != "loading":
                raise NotReady("not_running", "The service cannot score until it is restarted.")
            if len(self._jobs) >= self._queue_size:
                raise Overloaded(self.retry_after_s())
            self._jobs.append(job)
            self._wake.notify()
        return job.future

    def _run(self) -> None:
        """The owner thread."""
        try:
            self._load()
            while (job := self._next()) is not None:
                self._work_on(job)
        except BaseException:
            self._logger.exception("owner_died")
        finally:
            with self._wake:
                self._stage = "dead"
                waiting = list(self._jobs)
                self._jobs.clear()
            for job in waiting:
                if job.future.set_running_or_notify_cancel():
                    job.future.set_exception(_stopped())

    def _load(self) -> None:
        for product in (names := self._loader.products()):
            self._served[product] = Served(product, "loading")
        for product in names:
            if self._stage == "stopping":
                return
            self._served[product] = self._load_one(product)
        with self._wake:
            if self._stage == "loading":
                self._stage = "running"

    def _load_one(self, product: str) -> Served:
        started = time.monotonic()
        try:
            loaded = self._loader.load(product)
            loaded.detector.warm_up()
        except Refusal as refusal:
            note = refusal.detail
        except Exception:
            # One bank that cannot be served must not keep the others from it.
            self._logger.exception("bank_failed", product=product)
            note = "The bank could not be loaded; the service's log says why."
        else:
            seconds = round(time.monotonic() - started, 2)
            version = loaded.detector.version
            self._logger.info("bank_loaded", product=product, bank_version=version, seconds=seconds)
            return Served(product, "serving", loaded.detector, loaded.note)
        self._logger.error("bank_not_served", product=product, reason=note)
        return Served(product, "failed", note=note)

    def _next(self) -> _Job | None:
        with self._wake:
            while not self._jobs and self._stage == "running":
                self._wake.wait()
            return self._jobs.popleft() if self._jobs else None

    def _work_on(self, job: _Job) -> None:
        if not job.future.set_running_or_notify_cancel():
            return
        started = time.monotonic()
        detector = self._served[job.product].detector
        if detector is None or started > job.deadline:
            job.future.set_exception(DeadlinePassed())
            return
        try:
            (result,) = detector.score([job.sample])
        except BadSample as error:
            result = error
        except Exception:
            self._logger.exception("scoring_failed", product=job.product)
            job.future.set_exception(Refusal(500, "scoring_failed", "The service failed on this part."))
            # The part or the machine? If a part known to be good fails as well, this thread ends.
            detector.warm_up()
            return
        except BaseException:
            self._stage = "dead"  # before the client hears of it and asks whether the service is ready
            job.future.set_exception(_stopped())
            raise
        spent = time.monotonic() - started
        self._seconds_a_part = 0.8 * self._seconds_a_part + 0.2 * spent
        if isinstance(result, BadSample):
            job.future.set_exception(from_bad_sample(result))
        else:
            job.future.set_result(Scored(result, detector, (started - job.admitted) * 1000))


def _stopped() -> NotReady:
    return NotReady("not_running", "The service stopped before the part was scored. Send it again.")
