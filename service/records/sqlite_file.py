"""One SQLite file of the state folder. All threads of the service share the file."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from service.disk_faults import Fault, NotOpen, RecordsError, fault_of, of_sqlite
from service.records.schema import GROUPS, METADATA, NEWEST, VERSION

_PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL")
"""A power cut may lose the last writes. A power cut does not damage the file."""
_NO_ROOM = 64 << 10
"""A file system with fewer free bytes counts as full: SQLite reports an I/O error there when it opens a
file."""


class SqliteFile:
    """A SQLite file with the newest schema. The methods block on the disk; any thread may call them.

    A damaged file is renamed and a new file is created, both at `open` and when the damage shows later. With
    `replace_damaged=False` the file stays where it is.

    damaged: the files that were renamed since the start.
    trouble: why the file could not be used recently, through no fault of the caller; empty after a write.
    """

    shared = False
    heard = 0

    def __init__(
        self,
        group: str,
        folder: Path,
        *,
        first: Callable[[Connection], None],
        beside: Sequence[Path] = (),
        replace_damaged: bool = True,
    ) -> None:
        """Create the object; `open` opens the file.

        group: of the tables in `service.records.schema`; the file is <folder>/<group>.sqlite. `open` creates
            the file where it is missing.
        first: called each time that the file is opened.
        beside: folders that belong to the file's rows; the folders are renamed with a damaged file.
        """
        self._group = group
        self._file = folder / f"{group}.sqlite"
        self._first = first
        self._beside = beside
        self._replace_damaged = replace_damaged
        self._connection: Connection | None = None
        self._reason = "the file was not opened yet"
        self.trouble = ""
        self._lock = threading.Lock()
        self.damaged: list[Path] = []

    def open(self) -> None:
        """Open the file, unless the file is open. After trouble, test whether the file can be written.

        Raises OSError, RecordsError.
        """
        with self._lock:
            if self._connection is None:
                self._open()
        if self.trouble:
            with self.transaction() as db:
                db.exec_driver_sql(f"PRAGMA user_version = {NEWEST[self._group]}")
            self.trouble = ""

    def close(self) -> None:
        """Close the file. No other method may be called afterwards."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def check_open(self) -> None:
        """Raises NotOpen where the file is not open."""
        self._opened()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """One transaction: all changes are written, or none. One at a time. Raises RecordsError."""
        with self._lock:
            db = self._opened()
            driver = _sqlite(db)
            before = driver.total_changes
            try:
                with _immediate(driver):
                    yield db
            except (DBAPIError, sqlite3.Error) as error:
                found = _translated(error)
                if found.fault is not None:
                    self.trouble = str(found)
                if found.fault is Fault.DAMAGED and self._replace_damaged:
                    self._replace(db)
                raise found from error
            if driver.total_changes != before:
                self.trouble = ""

    def in_turn(self, db: Connection) -> None:
        """Nothing to wait for: one transaction at a time."""

    def tell(self, db: Connection) -> None:
        """Nobody to tell: the file is this server's own."""

    def _opened(self) -> Connection:
        """The connection to the open file. Raises NotOpen."""
        if self._connection is None:
            fault = Fault.FULL if _disk_is_full(self._file.parent) else Fault.UNAVAILABLE
            raise NotOpen(f"{self._file.name} is not open: {self._reason}", fault)
        return self._connection

    def _open(self) -> None:
        try:
            try:
                self._connection = self._connect()
            except RecordsError as error:
                if fault_of(error) is not Fault.DAMAGED or not self._replace_damaged:
                    raise
                self._put_aside()
                self._connection = self._connect()
        except (OSError, RecordsError) as error:
            self._reason = str(error)
            raise

    def _connect(self) -> Connection:
        db = None
        try:
            db = _engine(self._file).connect()
            for pragma in _PRAGMAS:
                _sqlite(db).execute(f"PRAGMA {pragma}")
            with _immediate(_sqlite(db)):
                self._bring_up_to_date(db)
            _sqlite(db).execute("PRAGMA foreign_keys=ON")  # a migration drops tables: no row may go with them
            with _immediate(_sqlite(db)):
                self._first(db)
        except BaseException as error:
            if db is not None:
                db.close()
            if isinstance(error, DBAPIError | sqlite3.Error):
                raise _translated(error) from error
            raise
        return db

    def _bring_up_to_date(self, db: Connection) -> None:
        """Create the tables in a new file, or apply the revisions that an older file lacks."""
        newest = NEWEST[self._group]
        done = db.exec_driver_sql("PRAGMA user_version").scalar_one()
        if done > newest:
            raise RecordsError(
                f"{self._file.name} was written by a newer Tribank (file version {done}; this Tribank "
                f"reads up to version {newest}). Use the newer Tribank, or move the file away."
            )
        tables = {row[0] for row in db.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not tables:
            METADATA.create_all(db, tables=[*GROUPS[self._group], VERSION])
            db.execute(VERSION.insert().values(version_num=f"{self._group}_{newest}"))
        elif done < newest or VERSION.name not in tables:
            from service.records.migrations import upgrade  # alembic loads for older files only

            upgrade(db, self._group)
        db.exec_driver_sql(f"PRAGMA user_version = {newest}")

    def _replace(self, db: Connection) -> None:
        """Rename the open file, which is damaged, and create a new file."""
        self._connection, self.trouble = None, ""
        with suppress(DBAPIError, sqlite3.Error):
            db.close()
        with suppress(OSError, RecordsError):  # `service.records.state_folder` tries again
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


def _engine(file: Path) -> Engine:
    """An engine that begins and ends no transaction: `_immediate` does."""

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(file, check_same_thread=False, isolation_level=None)

    return create_engine("sqlite://", creator=connect, poolclass=NullPool, isolation_level="AUTOCOMMIT")


@contextmanager
def _immediate(driver: sqlite3.Connection) -> Iterator[None]:
    """A transaction that has the lock for writing from its beginning. Raises sqlite3.Error."""
    driver.execute("BEGIN IMMEDIATE")
    try:
        yield
        driver.execute("COMMIT")
    except BaseException:
        if driver.in_transaction:  # on a full disk SQLite may have rolled back already
            with suppress(sqlite3.Error):
                driver.execute("ROLLBACK")
        raise


def _sqlite(db: Connection) -> sqlite3.Connection:
    driver = db.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver


def _translated(error: DBAPIError | sqlite3.Error) -> RecordsError:
    cause = error.orig if isinstance(error, DBAPIError) else error
    return of_sqlite(cause) if isinstance(cause, sqlite3.Error) else RecordsError(str(error))


def _disk_is_full(folder: Path) -> bool:
    try:
        status = os.statvfs(folder)
    except OSError:
        return False
    return status.f_bavail * status.f_frsize < _NO_ROOM
