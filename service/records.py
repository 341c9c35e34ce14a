"""Putting results on record. A record that is lost loses no part: it is told and counted."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from banks.detector import PartResult
from service.answers import Scan, render_json
from service.engine import Scored, Shadowed
from service.kept_parts import KeptParts
from service.metrics import Metrics
from service.pictures import thumbnail_jpeg
from service.repeats import Answered
from service.result_store import Once, Result, ResultStore


class Records:
    """What is kept of each part that was scored: its result, and the part itself where it was rejected. For
    the encode pool."""

    def __init__(
        self, store: ResultStore, parts: KeptParts, metrics: Metrics, logger: FilteringBoundLogger
    ) -> None:
        self.store = store
        self.parts = parts
        self._metrics = metrics
        self._logger = logger
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

    def recall(self, once: Once) -> None:
        """Raises Answered where that request has its result, KeyReused where its key is of another. Where the
        record cannot be read, it is done again: a part must be scored."""
        try:
            result = self.store.answered(once)
        except sqlite3.Error as error:
            self._logger.error("request_not_recalled", reason=str(error))
            return
        if result is not None:
            raise Answered(result)

    def keep(self, scan: Scan) -> None:
        """Put a result on record, and its shadow's when there is one. Raises as `recall` where the same
        request was answered meanwhile."""
        self._keep(scan, None)
        shadow = scan.scored.shadow
        if shadow is not None:
            shadow.result.add_done_callback(lambda done: self._keep_shadow(scan, shadow, done))

    def _keep_shadow(self, scan: Scan, shadow: Shadowed, done: Future[PartResult]) -> None:
        """On the owner thread, or wherever the shadow was given up."""
        if done.cancelled() or done.exception() is not None:
            return
        scored = Scored(done.result(), shadow.detector, 0.0)
        simulated = replace(
            scan,
            scored=scored,
            result_id=uuid.uuid4().hex,
            timings_ms=scored.result.timings_ms,
            once=None,
        )
        self._keep(simulated, scan.result_id)

    def _keep(self, scan: Scan, simulates: str | None) -> None:
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
        try:
            self.store.add(record, thumbnail_jpeg(result.prepared, result.map, scan.scale), scan.once)
            if result.decision == "defective" and simulates is None:
                self.parts.add(scan.result_id, scan.sample)
        except (sqlite3.Error, OSError) as error:
            if scan.once is not None and isinstance(error, sqlite3.IntegrityError):
                self.recall(scan.once)
            self._metrics.not_kept(detector.product)
            self._logger.error(
                "result_not_kept", result_id=scan.result_id, part_id=scan.part_id, reason=str(error)
            )
