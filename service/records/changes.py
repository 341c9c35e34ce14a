"""Putting changes on record. A change that cannot be recorded goes into the log, with all its facts."""

from __future__ import annotations

from dataclasses import asdict

from structlog.typing import FilteringBoundLogger

from service.disk_faults import RecordsError
from service.records.audit import Audit, Change
from service.threads import on_disk
from service.watch.metrics import Metrics


class Changes:
    """Records who changed what. For the event loop only."""

    def __init__(self, audit: Audit, metrics: Metrics, logger: FilteringBoundLogger) -> None:
        self._audit = audit
        self._metrics = metrics
        self._logger = logger

    async def record(self, change: Change) -> None:
        """Put a change on record; where that fails, into the log, and count the failure."""
        try:
            await on_disk(lambda: self._audit.add(change))
        except (OSError, RecordsError) as error:
            self._metrics.change_not_recorded()
            self._logger.error("change_not_recorded", reason=str(error), change=asdict(change))
