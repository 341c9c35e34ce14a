"""One group of the tables in a database of PostgreSQL, which several servers may share."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
from psycopg.abc import RV, PQGen
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import Connection, Engine, create_engine, func, inspect, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnection

from service.disk_faults import Conflict, Fault, NotOpen, RecordsError
from service.records.schema import GROUPS, METADATA, NEWEST, VERSION

_CONNECTION = {
    "connect_timeout": 3,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
    "application_name": "tribank",
}
"""Of libpq: a database that does not answer is noticed within some ten seconds. What the URI says, wins."""
_SESSION = (
    "SET statement_timeout = '30s'; SET lock_timeout = '10s'; SET idle_in_transaction_session_timeout = '60s'"
)
"""No transaction holds up the other servers for longer."""
_ANSWER_S = 35.0
"""Seconds that we wait for an answer: a database that hangs does not end its statements itself."""
_CONNECTIONS = 2
"""Connections that one group keeps open; three times as many while they are asked for."""
_SCHEMA_LOCK = 0x7472_6962
_GROUP_LOCKS = {group: _SCHEMA_LOCK + number for number, group in enumerate(GROUPS, start=1)}
"""The keys of advisory locks: of the schema, and of the rows of each group."""
_BAD_URI = (
    "TRIBANK_DATABASE is no address of PostgreSQL. Write it as postgresql://user:password@host/database."
)
_HEARD = ("results", "jobs")
"""Groups whose changes somebody follows."""
_HEAR_S = 0.5
_LISTEN_AGAIN_S = 1.0
_FAULTS = {
    "53100": Fault.FULL,
    "40001": Fault.LOCKED,
    "40P01": Fault.LOCKED,
    "55P03": Fault.LOCKED,
    "57014": Fault.LOCKED,
}
"""The cause of an error, by its SQLSTATE: a full disk, or another server that holds a lock for too long."""
_GONE = ("08", "28", "3D", "53", "57", "58", "XX", "25006", "42501")
"""SQLSTATE, or its beginning: the database cannot be used at present. An operator can change that."""


class PostgresDatabase:
    """The tables of one group, with the newest schema. The methods block; any thread may call them.

    damaged: always empty: damage is PostgreSQL's to find.
    trouble: why the database could not be used recently; empty after a transaction.
    heard: grows each time that a server, this one too, says that it changed rows of the group.
    """

    shared = True

    def __init__(self, group: str, uri: str, *, first: Callable[[Connection], None]) -> None:
        """Create the object; `open` connects.

        group: of the tables in `service.records.schema`. `open` creates the tables where they are missing.
        uri: of libpq, such as "postgresql://user:password@host/database". It is secret.
        first: called in the first transaction.
        """
        self._group = group
        self._channel = f"tribank_{group}"
        self._uri = uri
        self._first = first
        self._started = False
        self._engine: Engine | None = None
        self._closed = NotOpen("The database is not connected yet.", Fault.GONE)
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._listener: threading.Thread | None = None
        self.damaged: Sequence[Path] = ()
        self.trouble = ""
        self.heard = 0

    def open(self) -> None:
        """Connect, unless connected, and test whether the database can be written. Raises RecordsError."""
        with self._lock:
            if self._engine is None:
                self._open()
        with self.transaction() as db:
            if self.trouble:
                row = VERSION.c.version_num == f"{self._group}_{NEWEST[self._group]}"
                db.execute(update(VERSION).where(row).values(version_num=VERSION.c.version_num))

    def close(self) -> None:
        """Disconnect. No other method but `open` may be called afterwards."""
        if self._listener is not None:
            self._closing.set()
            with suppress(RecordsError), self.transaction() as db:
                self.tell(db)  # wakes the listener
            self._listener.join(2 * _HEAR_S)
            self._listener = None
        with self._lock:
            if self._engine is not None:
                self._engine.dispose()
            self._engine, self._started = None, False

    def check_open(self) -> None:
        """Raises NotOpen where there is no connection."""
        self._opened()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """One transaction: all changes are written, or none. Raises RecordsError."""
        engine = self._opened()
        try:
            with engine.begin() as db:
                yield db
        except (DBAPIError, NoConnection, psycopg.Error) as error:
            found = _translated(error)
            if found.fault is not None:
                self.trouble = str(found)
            if found.fault is Fault.GONE:
                self._forget(engine, str(found))
            raise found from None  # the cause may name the URI
        finally:
            if self._engine is not engine:  # forgotten meanwhile: this connection went back to its pool
                engine.dispose()
        self.trouble = ""

    def in_turn(self, db: Connection) -> None:
        """Wait until nobody else adds, takes or deletes rows of the group.

        So rows get their numbers in the order in which they can be read. The turn ends with the transaction.
        """
        db.execute(select(func.pg_advisory_xact_lock(_GROUP_LOCKS[self._group])))

    def tell(self, db: Connection) -> None:
        """Tell all servers, once the transaction is committed, that rows of the group changed."""
        db.execute(select(func.pg_notify(self._channel, "")))

    def _listen(self, closing: threading.Event) -> None:
        """Count in `heard` what servers tell, until `closing` is set."""
        while not closing.is_set():
            with suppress(psycopg.Error, RecordsError), _connect(self._uri) as connection:
                connection.autocommit = True
                connection.execute(f"LISTEN {self._channel}")  # type: ignore[arg-type] - our own name
                self.heard += 1  # what was told before could not be heard
                while not closing.is_set():
                    for _ in connection.notifies(timeout=_HEAR_S, stop_after=1):
                        self.heard += 1
            closing.wait(_LISTEN_AGAIN_S)

    def _opened(self) -> Engine:
        """The engine. Raises NotOpen."""
        engine = self._engine
        if engine is None:
            raise self._closed
        return engine

    def _open(self) -> None:
        engine = create_engine(
            "postgresql+psycopg://",
            creator=lambda: _connect(self._uri),
            pool_size=_CONNECTIONS,
            max_overflow=2 * _CONNECTIONS,
            pool_timeout=10,
            pool_pre_ping=True,
        )
        try:
            with engine.begin() as db:
                self._bring_up_to_date(db)
                if not self._started:
                    self._first(db)
        except (DBAPIError, NoConnection, psycopg.Error, RecordsError) as error:
            engine.dispose()
            found = error if isinstance(error, RecordsError) else _translated(error)
            self._closed = NotOpen(f"The database is not connected: {found}", found.fault)
            raise found from None
        self._engine, self._started = engine, True
        if self._listener is None and self._group in _HEARD:
            self._closing = threading.Event()
            self._listener = threading.Thread(
                target=self._listen, args=(self._closing,), name=self._channel, daemon=True
            )
            self._listener.start()

    def _bring_up_to_date(self, db: Connection) -> None:
        """Create the tables in a new database, or apply the revisions that the group lacks."""
        db.execute(select(func.pg_advisory_xact_lock(_SCHEMA_LOCK)))
        newest = NEWEST[self._group]
        there = inspect(db).has_table(VERSION.name)
        versions = list(db.execute(select(VERSION.c.version_num)).scalars()) if there else []
        done = [int(name.partition("_")[2]) for name in versions if name.startswith(f"{self._group}_")]
        if not done:
            METADATA.create_all(db, tables=[*GROUPS[self._group], VERSION])
            db.execute(VERSION.insert().values(version_num=f"{self._group}_{newest}"))
        elif max(done) > newest:
            raise RecordsError(
                f"The {self._group} in the database were written by a newer Tribank (version {max(done)}; "
                f"this Tribank reads up to version {newest}). Use the newer Tribank, or another database.",
                Fault.UNAVAILABLE,
            )
        elif max(done) < newest:
            from service.records.migrations import upgrade  # alembic loads for older tables only

            upgrade(db, self._group)

    def _forget(self, engine: Engine, reason: str) -> None:
        """Use the engine no more; `service.records.state_folder` connects again."""
        with self._lock:
            if self._engine is engine:
                self._engine = None
                self._closed = NotOpen(f"The database is not connected: {reason}", Fault.GONE)
        engine.dispose()


class _NoAnswer(psycopg.OperationalError):
    """The database did not answer in time."""


class _Connection(psycopg.Connection[Any]):
    """A connection that is closed where the database does not answer within `_ANSWER_S`."""

    def wait(self, gen: PQGen[RV], *args: Any, **options: Any) -> RV:
        """Wait for an answer, as psycopg does. Raises psycopg.Error."""
        try:
            return super().wait(_in_time(gen), *args, **options)
        except _NoAnswer:
            self.close()
            raise


def _in_time(steps: PQGen[RV]) -> PQGen[RV]:
    """The same steps. psycopg asks for one whenever the socket is ready, and ten times a second where it is
    not. Raises _NoAnswer."""
    heard, step = time.monotonic(), partial(next, steps)
    while True:
        try:
            ready = yield step()
        except StopIteration as ended:
            return ended.value
        if ready:
            heard = time.monotonic()
        elif time.monotonic() > heard + _ANSWER_S:
            raise _NoAnswer(f"no answer within {_ANSWER_S:g} s")
        step = partial(steps.send, ready)


def server_version(uri: str) -> str:
    """The version of the server, such as "15.6". Raises RecordsError where the database does not answer."""
    try:
        with _connect(uri) as connection:
            return connection.info.parameter_status("server_version") or "of an unknown version"
    except psycopg.Error as error:
        raise _translated(error) from None


def _connect(uri: str) -> psycopg.Connection:
    """Raises psycopg.Error, RecordsError."""
    try:
        asked = conninfo_to_dict(uri)
    except psycopg.ProgrammingError:  # its message has parts of the URI
        raise RecordsError(_BAD_URI, Fault.GONE) from None
    connection = _Connection.connect(uri, **{k: v for k, v in _CONNECTION.items() if k not in asked})
    try:
        connection.execute(_SESSION)
        connection.commit()
    except BaseException:
        connection.close()
        raise
    return connection


def _translated(error: Exception) -> RecordsError:
    """The error as an error of the records."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    state = getattr(cause, "sqlstate", None)
    reason = " ".join(str(cause).split())
    if isinstance(error, NoConnection):
        return RecordsError("All connections to the database are in use.", Fault.LOCKED)
    if isinstance(cause, psycopg.errors.UniqueViolation):
        return Conflict(reason)
    if state in _FAULTS:
        return RecordsError(reason, _FAULTS[state])
    lost = isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError) and state is None
    return RecordsError(reason, Fault.GONE if lost or (state or "").startswith(_GONE) else None)
