"""Putting results on record. A lost record loses no part: the loss is logged and counted."""

from __future__ import annotations

import asyncio
import json
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
from service.disk_faults import Conflict, Fault, RecordsError, fault_of
from service.engine.owner import Scored
from service.engine.shadows import Shadowed
from service.records.kept_parts import KeptParts
from service.records.repeats import Answered
from service.records.results import Result, ResultStore
from service.records.writer import QueueFull, RecordWriter
from service.threads import on_disk
from service.watch.metrics import Metrics

MAX_WAIT_S = 1.0
"""Seconds that a part or its answer waits for the record."""
CATCH_UP_S = 10.0
"""Seconds that `catch_up` waits for the results that were added before."""
RETRY_S = 0.1
"""Seconds until a locked file is tried again, after SQLite's own waiting, or a database that is gone."""
_PASSING = (Fault.LOCKED, Fault.GONE)
"""Faults that pass: writing is tried again, while the results wait in memory."""


class Records:
    """The record of every scored part: the part's result, and a rejected part's files."""

    def __init__(
        self, store: ResultStore, parts: KeptParts, metrics: Metrics, logger: FilteringBoundLogger
    ) -> None:
        self.store = store
        self.parts = parts
        self._metrics = metrics
        self._logger = logger
        self.patience_s = MAX_WAIT_S
        self._writer = RecordWriter()
        self._opened = -1  # the number of damaged files at the last `open`; -1: not opened

    @property
    def damaged(self) -> Sequence[Path]:
        """The damaged files that were renamed since the start."""
        return self.store.damaged

    def open(self) -> None:
        """Open every file that is not open, in a folder that exists. Raises OSError, RecordsError."""
        self.store.open()
        if self._opened != len(self.damaged):  # the parts were renamed with the damaged results
            self.parts.open()
            self._opened = len(self.damaged)
            try:
                self.prune()
            except (RecordsError, OSError) as error:  # `retention` prunes again later
                self._logger.error("not_pruned", reason=str(error))

    def prune(self) -> None:
        """Delete old results, results above the bytes, and the parts without a result. Raises OSError,
        RecordsError."""
        self.store.prune()
        kept = self.parts.names()  # read before the results: a part is written after its result
        self.parts.retain(self.store.known(kept), kept)

    async def recall(self, once: Once) -> None:
        """Check whether a request was answered before.

        If the record cannot be read in time, the call returns and the part is scored again.

        Raises Answered where the request has a result, and KeyReused where another request used the key.
        """
        asking = asyncio.ensure_future(on_disk(lambda: self._recall(once)))
        reason = "The record was not read in time."
        if await _in_time(asking, self.patience_s):
            try:
                return asking.result()
            except RecordsError as error:
                reason = str(error)
        self._logger.error("request_not_recalled", reason=reason)

    def keep(self, scan: Scan) -> Future[bool]:
        """Put a result on record, then a rejected part's files and, later, the shadow's result.

        The call computes but does not wait for the disk: call `keep` on the encode pool.

        Returns a future that says whether the result is on record. The future raises as `recall` where the
        same request was answered meanwhile.
        """
        record, picture = self._row(scan, None)
        size = len(record.answer) + len(picture)
        kept = self._queue_write(lambda: self._add(scan, record, picture), scan, size)
        if record.decision == "defective":
            self._queue_write(lambda: kept.result() and self._add_part(scan), scan, _bytes_of(scan.sample))
        shadow = scan.scored.shadow
        if shadow is not None:
            # The scoring thread makes this call and must wait for neither a disk nor a picture.
            shadow.result.add_done_callback(
                lambda done: self._queue_write(
                    lambda: self._add_shadow(scan, shadow, done), scan, _bytes_of(scan.sample)
                )
            )
        return kept

    async def wait_for(self, kept: Future[bool]) -> None:
        """Wait for a future of `keep`, at most `patience_s`: a slow or locked file must not delay the answer.

        Raises Answered, KeyReused.
        """
        waiting = asyncio.wrap_future(kept)
        if await _in_time(waiting, self.patience_s - self._writer.busy_s()):
            waiting.result()

    def mark_unanswered(self, scan: Scan) -> None:
        """Mark a result that was added before: its client left before the answer."""
        self._queue_write(lambda: self._mark(scan.result_id, answered=False), scan, 0)

    def catch_up(self) -> None:
        """Wait until the results that were added before are written, at most CATCH_UP_S. Blocks."""
        with suppress(QueueFull, TimeoutError):
            self._writer.submit(lambda: None, size=0).result(CATCH_UP_S)

    def close(self) -> None:
        """Write what waits, unless the file is locked, and close the files. Call `close` last. Blocks."""
        self._writer.close()
        self.store.close()

    def _queue_write(self, work: Callable[[], bool], scan: Scan, size: int) -> Future[bool]:
        """Queue a write. The result is lost, and the loss is counted, where the queue is full.

        work: returns whether the result is on record.
        size: bytes of memory that `work` holds.
        """
        try:
            return self._writer.submit(work, size=size)
        except QueueFull as error:
            self._count_lost(scan, error)
            not_written: Future[bool] = Future()
            not_written.set_result(False)
            return not_written

    def _count_lost(self, scan: Scan, error: Exception) -> bool:
        """Log and count a lost record. Returns False: the result is not on record."""
        self._metrics.not_kept(scan.scored.detector.product)
        self._logger.error(
            "result_not_kept", result_id=scan.result_id, part_id=scan.part_id, reason=str(error)
        )
        return False

    def _recall(self, once: Once) -> None:
        result = self.store.answered(once)
        if result is not None:
            with suppress(QueueFull):
                self._writer.submit(lambda: self._mark(result.id, answered=True), size=0)
            raise Answered(result)

    def _mark(self, result_id: str, *, answered: bool) -> bool:
        with suppress(RecordsError):
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
        """The record of a scan, and the small picture."""
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
            labels=json.dumps(dict(scan.labels)),
            job=scan.job,
        )
        return record, thumbnail_jpeg(result.prepared, result.map, scan.scale)

    def _add(self, scan: Scan, record: Result, picture: bytes) -> bool:
        """Write a record.

        Waits while another program locks the file, or while the database is gone. Returns whether the record
        is written.
        """
        while True:
            try:
                self._add_once(record, picture, scan.once)
            except (RecordsError, OSError) as error:
                if fault_of(error) not in _PASSING or self._writer.closing.wait(RETRY_S):
                    return self._count_lost(scan, error)
            else:
                return True

    def _add_once(self, record: Result, picture: bytes, once: Once | None) -> None:
        """Raises Answered, KeyReused, RecordsError."""
        try:
            self.store.add(record, picture, once)
        except Conflict:
            if self.store.find(record.id) is None:  # else it was written, and then the connection was lost
                if once is not None:
                    self._recall(once)
                raise

    def _add_part(self, scan: Scan) -> bool:
        try:
            self.parts.add(scan.result_id, scan.scored.detector.product, scan.sample)
        except OSError as error:
            return self._count_lost(scan, error)
        return True


def _bytes_of(sample: Sample) -> int:
    return sample.rgb.nbytes + sample.xyz.nbytes


async def _in_time(future: asyncio.Future[Any], seconds: float) -> bool:
    """Whether a future is done in time. A late future goes on, and its exception is ignored."""
    done, _ = await asyncio.wait({future}, timeout=max(0.0, seconds))
    if not done:
        future.add_done_callback(lambda late: late.cancelled() or late.exception())
    return bool(done)
