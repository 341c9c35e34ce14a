"""Putting results on record. A record that is lost loses no part: it is told and counted."""

from __future__ import annotations

import asyncio
import sqlite3
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from structlog.typing import FilteringBoundLogger

from banks.detector import PartResult
from models.sample import Sample
from service.answers.pictures import thumbnail_jpeg
from service.answers.renderers import render_json
from service.answers.scan import Once, Scan
from service.disk_faults import is_locked
from service.engine.owner import Scored, Shadowed
from service.records.kept_parts import KeptParts
from service.records.repeats import Answered
from service.records.results import Result, ResultStore
from service.records.writer import NoRoom, RecordWriter
from service.threads import on_disk
from service.watch.metrics import Metrics

PATIENCE_S = 1.0
"""How long a part or its answer waits for the record."""
CATCH_UP_S = 10.0
"""How long who needs all that was answered before waits for it."""
AGAIN_S = 0.1
"""How long after SQLite's own waiting a locked file is tried again."""


class Records:
    """What is kept of each part that was scored: its result, and the part itself where it was rejected."""

    def __init__(
        self, store: ResultStore, parts: KeptParts, metrics: Metrics, logger: FilteringBoundLogger
    ) -> None:
        self.store = store
        self.parts = parts
        self._metrics = metrics
        self._logger = logger
        self.patience_s = PATIENCE_S
        self._writer = RecordWriter()
        self._opened = -1  # with so many damaged files; -1: not yet

    @property
    def damaged(self) -> Sequence[Path]:
        """Files that were found damaged since the start, and put aside."""
        return self.store.damaged

    def open(self) -> None:
        """Open what is not open, in a folder that is there. Raises OSError, sqlite3.Error."""
        self.store.open()
        if self._opened != len(self.damaged):  # the parts went aside with the results that explain them
            self.parts.open()
            self._opened = len(self.damaged)
            try:
                self.prune()
            except (sqlite3.Error, OSError) as error:  # it is done again in time
                self._logger.error("not_pruned", reason=str(error))

    def prune(self) -> None:
        """Forget what is too old or too much, and the parts whose results are gone. Raises OSError,
        sqlite3.Error."""
        self.store.prune()
        kept = self.parts.names()  # before the results are asked for: a part comes after its result
        self.parts.retain(self.store.known(kept), kept)

    async def recall(self, once: Once) -> None:
        """Raises Answered where that request has its result, KeyReused where its key is of another. Where the
        record cannot be read, or not in time, it is done again: a part must be scored."""
        asking = asyncio.ensure_future(on_disk(lambda: self._recall(once)))
        reason = "The record did not answer in time."
        if await _in_time(asking, self.patience_s):
            try:
                return asking.result()
            except sqlite3.Error as error:
                reason = str(error)
        self._logger.error("request_not_recalled", reason=reason)

    def keep(self, scan: Scan) -> Future[bool]:
        """Put a result on record, then the part if it was rejected, and in time its shadow's result. Heavy,
        but for the disk: for the encode pool.

        The future says whether the result is on record, and raises as `recall` where the same request was
        answered meanwhile.
        """
        record, picture = self._row(scan, None)
        size = len(record.answer) + len(picture)
        kept = self._told(lambda: self._add(scan, record, picture), scan, size)
        if record.decision == "defective":
            self._told(lambda: kept.result() and self._add_part(scan), scan, _bytes_of(scan.sample))
        shadow = scan.scored.shadow
        if shadow is not None:
            # Called on the thread that scores, which waits for neither a disk nor a picture.
            shadow.result.add_done_callback(
                lambda done: self._told(
                    lambda: self._add_shadow(scan, shadow, done), scan, _bytes_of(scan.sample)
                )
            )
        return kept

    async def settled(self, kept: Future[bool]) -> None:
        """Wait for what `keep` returned, and no longer than a record that works needs: a slow or locked one
        holds up no answer. Raises Answered, KeyReused."""
        waiting = asyncio.wrap_future(kept)
        if await _in_time(waiting, self.patience_s - self._writer.busy_s()):
            waiting.result()

    def unanswered(self, scan: Scan) -> None:
        """Nobody got that result, which was handed over before."""
        self._told(lambda: self._mark(scan.result_id, answered=False), scan, 0)

    def catch_up(self) -> None:
        """Wait for what was handed over before, for a while. Blocks."""
        with suppress(NoRoom, TimeoutError):
            self._writer.submit(lambda: None, size=0).result(CATCH_UP_S)

    def close(self) -> None:
        """After everything else: what waits is written, unless the file is locked. Blocks."""
        self._writer.close()
        self.store.close()

    def _told(self, work: Callable[[], bool], scan: Scan, size: int) -> Future[bool]:
        """What is to be written, in its turn; lost where there is no room for it."""
        try:
            return self._writer.submit(work, size=size)
        except NoRoom as error:
            self._lost(scan, error)
            lost: Future[bool] = Future()
            lost.set_result(False)
            return lost

    def _lost(self, scan: Scan, error: Exception) -> bool:
        self._metrics.not_kept(scan.scored.detector.product)
        self._logger.error(
            "result_not_kept", result_id=scan.result_id, part_id=scan.part_id, reason=str(error)
        )
        return False

    def _recall(self, once: Once) -> None:
        result = self.store.answered(once)
        if result is not None:
            with suppress(NoRoom):
                self._writer.submit(lambda: self._mark(result.id, answered=True), size=0)
            raise Answered(result)

    def _mark(self, result_id: str, *, answered: bool) -> bool:
        with suppress(sqlite3.Error):
            self.store.mark(result_id, answered=answered)
        return True

    def _add_shadow(self, scan: Scan, shadow: Shadowed, done: Future[PartResult]) -> bool:
        if done.cancelled() or done.exception() is not None:
            return False
        scored = Scored(done.result(), shadow.detector, 0.0)
        simulated = replace(
            scan,
            scored=scored,
            result_id=uuid.uuid4().hex,
            timings_ms=scored.result.timings_ms,
            once=None,
        )
        record, picture = self._row(simulated, scan.result_id)
        return self._add(simulated, record, picture)

    def _row(self, scan: Scan, simulates: str | None) -> tuple[Result, bytes]:
        """A result as it is kept, and its small picture."""
        result, detector = scan.scored.result, scan.scored.detector
        record = Result(
            id=scan.result_id,
            created=scan.created.timestamp(),
            product=detector.product,
            part_id=scan.part_id,
            bank_version=detector.version,
            score=result.score,
            threshold=result.threshold,
            decision=result.decision,
            simulates=simulates,
            answer=render_json(scan).decode(),
        )
        return record, thumbnail_jpeg(result.prepared, result.map, scan.scale)

    def _add(self, scan: Scan, record: Result, picture: bytes) -> bool:
        """Whether it is on record now; it waits as long as another program holds the file."""
        while True:
            try:
                self.store.add(record, picture, scan.once)
            except (sqlite3.Error, OSError) as error:
                if scan.once is not None and isinstance(error, sqlite3.IntegrityError):
                    self._recall(scan.once)
                if not is_locked(error) or self._writer.closing.wait(AGAIN_S):
                    return self._lost(scan, error)
            else:
                return True

    def _add_part(self, scan: Scan) -> bool:
        try:
            self.parts.add(scan.result_id, scan.sample)
        except OSError as error:
            return self._lost(scan, error)
        return True


def _bytes_of(sample: Sample) -> int:
    return sample.rgb.nbytes + sample.xyz.nbytes


async def _in_time(future: asyncio.Future[Any], seconds: float) -> bool:
    """Whether it is done by then. If not, it goes on, and what it raises is nobody's."""
    done, _ = await asyncio.wait({future}, timeout=max(0.0, seconds))
    if not done:
        future.add_done_callback(lambda late: late.cancelled() or late.exception())
    return bool(done)
