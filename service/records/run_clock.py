"""The clock for the age of records: the seconds that the service ran, over all its starts.

A computer's clock may jump by years (an empty battery, a wrong time server). Such a jump must neither delete
records early nor keep records too long.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable

SCHEMA = "CREATE TABLE running (seconds REAL NOT NULL); INSERT INTO running VALUES (0);"
"""The table in which a database keeps the clock between two starts."""


class RunClock:
    """The clock of one database. ticks: returns seconds that never jump."""

    def __init__(self, ticks: Callable[[], float] = time.monotonic) -> None:
        self._ticks = ticks
        self._base = 0.0

    def start(self, db: sqlite3.Connection, table: str) -> None:
        """Continue where the last service with this file stopped.

        table: a table that has the column `ran`. Raises sqlite3.Error.
        """
        (last,) = db.execute(
            f"SELECT max((SELECT seconds FROM running), coalesce((SELECT max(ran) FROM {table}), 0))"  # noqa: S608 - our own name
        ).fetchone()
        self._base = last - self._ticks()

    def save(self, db: sqlite3.Connection) -> float:
        """Write the time to the database and return the time. Raises sqlite3.Error."""
        now = self.now()
        db.execute("UPDATE running SET seconds = ?", (now,))
        return now

    def now(self) -> float:
        """The seconds that all services ran with this file."""
        return self._base + self._ticks()
