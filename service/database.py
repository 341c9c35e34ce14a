"""One SQLite file of the state folder, which all threads of the service share."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON")
"""A power cut may cost what was written last; it damages nothing."""


class Database:
    """A file with this schema, made if need be. Methods block on the disk; any thread may call them."""

    _db: sqlite3.Connection

    def __init__(self, file: Path, schema: str) -> None:
        self._file = file
        self._schema = schema
        self._lock = threading.Lock()

    def open(self) -> None:
        """Before anything else. Raises sqlite3.Error."""
        self._db = sqlite3.connect(self._file, check_same_thread=False, isolation_level=None)
        for pragma in _PRAGMAS:
            self._db.execute(f"PRAGMA {pragma}")
        self._db.executescript(self._schema)

    def widen(self, table: str, column: str, kind: str) -> None:
        """Add a column that older files lack; the schema names it last. Raises sqlite3.Error."""
        if column not in {row[1] for row in self._db.execute(f"PRAGMA table_info({table})")}:
            self._db.execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")

    def close(self) -> None:
        """After everything else."""
        with self._lock:
            self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All of it happens, or none; one at a time."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:  # where the disk is full, SQLite may have rolled back already
                    self._db.execute("ROLLBACK")
                raise
