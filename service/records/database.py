"""One SQLite file of the state folder. All threads of the service share the file."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from service.disk_faults import NotOpen, is_damage, is_unusable

_PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON")
"""A power cut may lose the last writes. A power cut does not damage the file."""
_NO_ROOM = 64 << 10
"""A file system with fewer free bytes counts as full: SQLite reports an I/O error there when it opens a
file."""


@dataclass(frozen=True, slots=True)
class NewColumn:
    """A step that adds a column, unless the table has the column."""

    table: str
    name: str
    kind: str

    def script(self, db: sqlite3.Connection) -> str:
        """The step as SQL. Raises sqlite3.Error."""
        names = {row[1] for row in db.execute(f"PRAGMA table_info({self.table})")}
        return "" if self.name in names else f"ALTER TABLE {self.table} ADD COLUMN {self.name} {self.kind};"


Step = str | NewColumn
"""SQL, or a new column. A file's `PRAGMA user_version` is the number of steps that were applied."""


class Database:
    """A SQLite file to which all steps are applied. The methods block on the disk; any thread may call them.

    A damaged file is renamed and a new file is created, both at `open` and when the damage shows later.

    damaged: the files that were renamed since the start.
    trouble: why the file could not be used recently, through no fault of the caller; empty after a write.
    """

    def __init__(
        self,
        file: Path,
        steps: Sequence[Step],
        *,
        first: Callable[[sqlite3.Connection], None] = lambda _: None,
        beside: Sequence[Path] = (),
    ) -> None:
        """Create the object; `open` opens the file.

        file: created by `open` where the file is missing.
        steps: applied in order to a file that lacks them.
        first: called each time that the file is opened.
        beside: folders that belong to the file's rows; the folders are renamed with a damaged file.
        """
        self._file = file
        self._steps = steps
        self._first = first
        self._beside = beside
        self._db: sqlite3.Connection | None = None
        self._reason = "the file was not opened yet"
        self.trouble = ""
        self._lock = threading.Lock()
        self.damaged: list[Path] = []

    def open(self) -> None:
        """Open the file, unless the file is open. After trouble, test whether the file can be written.

        Raises OSError, sqlite3.Error.
        """
        with self._lock:
            if self._db is None:
                self._open()
        if self.trouble:
            with self.transaction() as db:
                db.execute(f"PRAGMA user_version = {len(self._steps)}")
            self.trouble = ""

    def close(self) -> None:
        """Close the file. No other method may be called afterwards."""
        with self._lock:
            if self._db is not None:
                self._db.close()
                self._db = None

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all changes are written, or none. One transaction at a time. Raises NotOpen."""
        with self._lock:
            db = self.connection()
            before = db.total_changes
            try:
                db.execute("BEGIN IMMEDIATE")
                yield db
                db.execute("COMMIT")
            except BaseException as error:
                if is_unusable(error):
                    self.trouble = str(error)
                if db.in_transaction:  # on a full disk SQLite may have rolled back already
                    with suppress(sqlite3.Error):
                        db.execute("ROLLBACK")
                if is_damage(error):
                    self._replace(db)
                raise
            if db.total_changes != before:
                self.trouble = ""

    def connection(self) -> sqlite3.Connection:
        """The connection to the open file. Raises NotOpen."""
        if self._db is None:
            raise NotOpen(self._file, self._reason, full=_disk_is_full(self._file.parent))
        return self._db

    def _open(self) -> None:
        try:
            try:
                self._db = self._connect()
            except sqlite3.DatabaseError as error:
                if not is_damage(error):
                    raise
                self._put_aside()
                self._db = self._connect()
        except (OSError, sqlite3.Error) as error:
            self._reason = str(error)
            raise

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._file, check_same_thread=False, isolation_level=None)
        try:
            for pragma in _PRAGMAS:
                db.execute(f"PRAGMA {pragma}")
            self._apply_steps(db)
            with db:
                db.execute("BEGIN IMMEDIATE")
                self._first(db)
        except BaseException:
            db.close()
            raise
        return db

    def _apply_steps(self, db: sqlite3.Connection) -> None:
        """Apply the steps that the file lacks, each step in one transaction."""
        done = db.execute("PRAGMA user_version").fetchone()[0]
        if done > len(self._steps):
            raise sqlite3.NotSupportedError(
                f"{self._file.name} was written by a newer Tribank (file version {done}; this Tribank "
                f"reads up to version {len(self._steps)}). Use the newer Tribank, or move the file away."
            )
        for number, step in enumerate(self._steps[done:], done + 1):
            script = step.script(db) if isinstance(step, NewColumn) else step
            try:
                db.executescript(f"BEGIN IMMEDIATE; {script} PRAGMA user_version = {number}; COMMIT;")
            except sqlite3.Error:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise

    def _replace(self, db: sqlite3.Connection) -> None:
        """Rename the open file, which is damaged, and create a new file."""
        self._db, self.trouble = None, ""
        with suppress(sqlite3.Error):
            db.close()
        with suppress(OSError, sqlite3.Error):  # `service.records.state_folder` tries again
            self._put_aside()
            self._open()

    def _put_aside(self) -> None:
        """Rename the file, SQLite's files beside it, and the folders in `beside`. Raises OSError."""
        mark = f".damaged-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}"
        aside = self._file.with_name(self._file.name + mark)
        self._file.rename(aside)
        self.damaged.append(aside)
        for ending in ("-wal", "-shm"):
            with suppress(FileNotFoundError):
                self._file.with_name(self._file.name + ending).rename(f"{aside}{ending}")
        for folder in self._beside:
            with suppress(FileNotFoundError):
                folder.rename(folder.with_name(folder.name + mark))


def _disk_is_full(folder: Path) -> bool:
    try:
        status = os.statvfs(folder)
    except OSError:
        return False
    return status.f_bavail * status.f_frsize < _NO_ROOM
