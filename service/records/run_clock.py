"""The clock that ages what is kept: seconds that the service ran, over all its starts.

A computer's clock may leap by years either way (an empty battery, a wrong time server): nothing that is kept
for a time may go, or stay, because of that.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable

SCHEMA = "CREATE TABLE running (seconds REAL NOT NULL); INSERT INTO running VALUES (0);"
"""Where a database remembers it between two starts."""


class RunClock:
    """The clock of one database. ticks: seconds that never leap."""

    def __init__(self, ticks: Callable[[], float] = time.monotonic) -> None:
        self._ticks = ticks
        self._base = 0.0

    def start(self, db: sqlite3.Connection, table: str) -> None:
        """Go on where the file's last service stopped. table: of rows that have the column `ran`. Raises
        sqlite3.Error."""
        (last,) = db.execute(
            f"SELECT max((SELECT seconds FROM running), coalesce((SELECT max(ran) FROM {table}), 0))"  # noqa: S608 - our own name
        ).fetchone()
        self._base = last - self._ticks()

    def save(self, db: sqlite3.Connection) -> float:
        """Remember the time, and return it. Raises sqlite3.Error."""
        now = self.now()
        db.execute("UPDATE running SET seconds = ?", (now,))
        return now

    def now(self) -> float:
        """Seconds that services ran with this file."""
        return self._base + self._ticks()
