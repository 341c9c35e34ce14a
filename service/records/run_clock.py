"""The clock for the age of records: the seconds that the service ran, over all its starts.

A computer's clock may jump by years (an empty battery, a wrong time server). Such a jump must neither delete
records early nor keep records too long.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from sqlalchemy import Column, Connection, func, insert, select, update

from service.records.schema import RUNNING


class RunClock:
    """The clock of one database. ticks: returns seconds that never jump."""

    def __init__(self, ticks: Callable[[], float] = time.monotonic) -> None:
        self._ticks = ticks
        self._base = 0.0

    def start(self, db: Connection, ran: Column[float]) -> None:
        """Continue where the last service with this database stopped.

        ran: the column with the times of the rows. Raises DBAPIError.
        """
        kept = db.execute(select(func.max(RUNNING.c.seconds))).scalar_one()
        if kept is None:
            db.execute(insert(RUNNING).values(seconds=0.0))
        last = max(kept or 0.0, db.execute(select(func.max(ran))).scalar_one() or 0.0)
        self._base = last - self._ticks()

    def save(self, db: Connection) -> float:
        """Write the time to the database, unless another server wrote a later one, and return the time.

        Raises DBAPIError.
        """
        now = self.now()
        db.execute(update(RUNNING).where(RUNNING.c.seconds < now).values(seconds=now))
        return now

    def now(self) -> float:
        """The seconds that all services ran with this database."""
        return self._base + self._ticks()
