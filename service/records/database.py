"""One SQLite file of the state folder, which all threads of the service share."""

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
"""A power cut may cost what was written last; it damages nothing."""
_NO_ROOM = 64 << 10
"""A file system with fewer free bytes is full: SQLite calls that an I/O error where it opens a file."""


@dataclass(frozen=True, slots=True)
class NewColumn:
    """A step that adds a column, unless it is there."""

    table: str
    name: str
    kind: str

    def script(self, db: sqlite3.Connection) -> str:
        """As SQL. Raises sqlite3.Error."""
        there = {row[1] for row in db.execute(f"PRAGMA table_info({self.table})")}
        return "" if self.name in there else f"ALTER TABLE {self.table} ADD COLUMN {self.name} {self.kind};"


Step = str | NewColumn
"""SQL, or a new column. A file's `PRAGMA user_version` is how many of the steps it has gone through."""


class Database:
    """A file that has gone through these steps, made if need be. Methods block on the disk; any thread may
    call them.

    A file that is damaged is put aside, and a new one begun, when it is opened and whenever that shows later.
    damaged: what was put aside since the start. trouble: why it could not be used of late, by no fault of the
    caller's; empty once something was written again.
    """

    def __init__(
        self,
        file: Path,
        steps: Sequence[Step],
        *,
        first: Callable[[sqlite3.Connection], None] = lambda _: None,
        beside: Sequence[Path] = (),
    ) -> None:
        """first: done each time that a file is opened. beside: folders that only its rows explain; they are
        put aside with it."""
        self._file = file
        self._steps = steps
        self._first = first
        self._beside = beside
        self._db: sqlite3.Connection | None = None
        self._reason = "not yet tried"
        self.trouble = ""
        self._lock = threading.Lock()
        self.damaged: list[Path] = []

    def open(self) -> None:
        """Open the file, unless it is open, and try whether it can be written where it could not be used of
        late. Raises OSError, sqlite3.Error."""
        with self._lock:
            if self._db is None:
                self._open()
        if self.trouble:
            with self.transaction() as db:
                db.execute(f"PRAGMA user_version = {len(self._steps)}")
            self.trouble = ""

    def close(self) -> None:
        """After everything else."""
        with self._lock:
            if self._db is not None:
                self._db.close()
                self._db = None

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All of it happens, or none; one at a time. Raises NotOpen."""
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
                if db.in_transaction:  # where the disk is full, SQLite may have rolled back already
                    with suppress(sqlite3.Error):
                        db.execute("ROLLBACK")
                if is_damage(error):
                    self._begin_anew(db)
                raise
            if db.total_changes != before:
                self.trouble = ""

    def connection(self) -> sqlite3.Connection:
        """The open file. Raises NotOpen."""
        if self._db is None:
            raise NotOpen(self._file, self._reason, full=_has_no_room(self._file.parent))
        return self._db

    def _open(self) -> None:
        try:
            try:
                self._db = self._connected()
            except sqlite3.DatabaseError as error:
                if not is_damage(error):
                    raise
                self._put_aside()
                self._db = self._connected()
        except (OSError, sqlite3.Error) as error:
            self._reason = str(error)
            raise

    def _connected(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._file, check_same_thread=False, isolation_level=None)
        try:
            for pragma in _PRAGMAS:
                db.execute(f"PRAGMA {pragma}")
            self._bring_up(db)
            with db:
                db.execute("BEGIN IMMEDIATE")
                self._first(db)
        except BaseException:
            db.close()
            raise
        return db

    def _bring_up(self, db: sqlite3.Connection) -> None:
        """Go through the steps that the file lacks, each as a whole."""
        done = db.execute("PRAGMA user_version").fetchone()[0]
        if done > len(self._steps):
            raise sqlite3.NotSupportedError(
                f"{self._file.name} was written by a newer Tribank (its version {done}; this one reads up to "
                f"{len(self._steps)}). Use that one, or move the file away."
            )
        for number, step in enumerate(self._steps[done:], done + 1):
            script = step.script(db) if isinstance(step, NewColumn) else step
            try:
                db.executescript(f"BEGIN IMMEDIATE; {script} PRAGMA user_version = {number}; COMMIT;")
            except sqlite3.Error:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise

    def _begin_anew(self, db: sqlite3.Connection) -> None:
        """The open file is damaged."""
        self._db, self.trouble = None, ""
        with suppress(sqlite3.Error):
            db.close()
        with suppress(OSError, sqlite3.Error):  # it is tried again, see `service.records.state_folder`
            self._put_aside()
            self._open()

    def _put_aside(self) -> None:
        """Rename the file, what SQLite keeps beside it, and what is ours beside it. Raises OSError."""
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


def _has_no_room(folder: Path) -> bool:
    try:
        found = os.statvfs(folder)
    except OSError:
        return False
    return found.f_bavail * found.f_frsize < _NO_ROOM
