"""One part, from its bytes to a recorded answer. Every route that takes a part uses `Inspection`."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

from models.readers import ReadLimits
from models.readers.declared import UNDECLARED
from models.sample import Sample, without_returns
from recipes.sensor import Sensor
from service.answers.scan import Once, Scan
from service.engine.owner import Engine
from service.engine.workers import Workers
from service.http.deadline import Clock
from service.http.gate import Gate
from service.records.recorder import Records
from service.refusals import NotActive, NotReady, Refusal
from service.threads import on_pool
from service.watch.metrics import Metrics

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Ask:
    """What a client asks of one part.

    part_id: the client's name for the part.
    threshold: the request's own threshold, in place of the calibration's.
    clock: when the part's deadline passes.
    once: the request, if the client may send the request again.
    version: the only version that may score the part; None means the active version.
    labels: what the client says of the part, by name.
    job: the id of the batch job that the part belongs to.
    """

    product: str
    part_id: str | None
    threshold: float | None
    clock: Clock
    once: Once | None = None
    version: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    job: str | None = None


@dataclass(frozen=True, slots=True)
class Inspection:
    """Scores parts and puts their results on record.

    An inspection of one part has three steps: a place (`place` or `turn`), the scan (`scan`), the record
    (`record`). The caller sees no detector, no thread and no file, so that another process could do the work
    behind the same object. For the event loop only.

    engine: scores parts.
    records: keeps results.
    metrics: counts parts and refusals.
    decoders, encoders: the pools that decode parts and draw answers.
    loading, parts: the gates of the parts that wait for a bank, and of the parts that are processed.
    read_limits: how large a part may be.
    deadline_s: seconds that a part may take after all of its bytes arrived.
    """

    engine: Engine
    records: Records
    metrics: Metrics
    decoders: Workers
    encoders: Workers
    loading: Gate
    parts: Gate
    read_limits: ReadLimits
    deadline_s: float

    def alive(self) -> bool:
        """Whether parts can still be scored. A pool with a dead thread may leave work undone."""
        return self.engine.alive() and self.decoders.alive() and self.encoders.alive()

    def check(self, product: str) -> None:
        """Raise the refusal that a part of this product would get now, if any."""
        self.engine.check(product)

    @asynccontextmanager
    async def place(self, product: str) -> AsyncIterator[dict[str, float]]:
        """Wait for the product's bank, then take a place for one part. Raises Refusal without a free place.

        A bank that is being loaded must not block parts of other products, so the place is taken afterwards.
        Yields the milliseconds of the wait as the stage `load`, or nothing without a wait.
        """
        waited = await self._bank(product, self.loading)
        with self.parts.enter(product):
            yield waited

    @asynccontextmanager
    async def turn(self, product: str) -> AsyncIterator[None]:
        """Wait for the product's bank, then wait for a place and take the place. Raises Refusal."""
        await self._bank(product, None)
        async with self.parts.turn():
            yield

    async def scan(self, ask: Ask, read: Callable[[Sensor], Sample]) -> Scan:
        """Score one part. Raises Refusal.

        read: decodes the part, on the decode pool, with what is declared for the product.
        """
        started = time.perf_counter()
        with self._counted(ask.product):
            served = await asyncio.shield(asyncio.wrap_future(self.engine.when_loaded(ask.product)))
            sensor = UNDECLARED if served.detector is None else served.detector.manifest.sensor
            sample = await on_pool(self.decoders, partial(read, sensor))
            decode_ms = (time.perf_counter() - started) * 1000
            scored = await self.engine.score(ask.product, sample, deadline=ask.clock.deadline, sensor=sensor)
            if ask.version not in (None, scored.detector.version):
                raise NotActive(ask.version)
        timings = {"decode": decode_ms, "queue": scored.queue_ms, **scored.result.timings_ms}
        timings["total"] = (time.perf_counter() - started) * 1000
        # Which pixels count as no return depends on the version that scored the part.
        no_return = scored.detector.manifest.profile.preparation.no_return
        sample = await on_pool(self.encoders, lambda: without_returns(sample, no_return))
        self.metrics.scored(sample, scored, timings, ask.labels)
        if ask.threshold is not None:
            limit = scored.detector.calibration.pixel_threshold
            judged = await on_pool(self.encoders, partial(scored.result.judged, ask.threshold, limit))
            scored = replace(scored, result=judged)
        return Scan(
            sample,
            scored,
            ask.part_id,
            uuid.uuid4().hex,
            timings,
            ask.once,
            labels=ask.labels,
            job=ask.job,
        )

    async def record(self, scan: Scan, render: Callable[[Scan], _T]) -> _T:
        """Draw the part's answer and put the result on record. Mark the result if the client left.

        render: draws the answer, on the encode pool.

        Raises Answered, KeyReused.
        """
        working = asyncio.ensure_future(
            on_pool(self.encoders, lambda: (self.records.keep(scan), render(scan)))
        )

        def mark_unanswered(done: asyncio.Future[Any]) -> None:
            if not done.cancelled() and done.exception() is None:
                self.records.mark_unanswered(scan)

        try:
            kept, rendered = await asyncio.shield(working)
            await self.records.wait_for(kept)
        except asyncio.CancelledError:
            working.add_done_callback(mark_unanswered)
            raise
        return rendered

    async def _bank(self, product: str, gate: Gate | None) -> dict[str, float]:
        """Wait for the product's bank, at the gate if one is given. Raises Refusal."""
        started = time.perf_counter()
        ready = self.engine.when_loaded(product)
        if ready.done():
            return {}
        if gate is not None and gate.full:
            detail = "The product's bank is being loaded, and too many parts wait. Send the part again soon."
            raise NotReady("loading", detail)
        with nullcontext() if gate is None else gate.enter():
            await asyncio.shield(asyncio.wrap_future(ready))
        return {"load": (time.perf_counter() - started) * 1000}

    @contextmanager
    def _counted(self, product: str) -> Iterator[None]:
        """Count a refusal of a part that had a place."""
        try:
            yield
        except Refusal as refusal:
            self.metrics.refused(product, refusal.code)
            raise
