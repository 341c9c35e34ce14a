"""Jobs on disk: one SQLite file (WAL) and one folder of input a job, so that a restart loses none.

<state>/jobs.sqlite     what was asked, how far it is, what came of it; one row a result line
<state>/jobs/<id>/      the job's input; removed when the job ends
<state>/incoming/       inputs still being received; emptied at the start
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from service.records import run_clock
from service.records.database import Database, NewColumn
from service.refusals import KeyReused

State = Literal["queued", "running", "done", "failed", "cancelled"]
UNFINISHED: tuple[State, ...] = ("queued", "running")
MOST_ATTEMPTS = 3
"""How often a job is taken up: one that stops the service with it must not do so for ever."""

_STEPS = (
    """
CREATE TABLE IF NOT EXISTS jobs (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, product TEXT NOT NULL, state TEXT NOT NULL,
    created REAL NOT NULL, started REAL, finished REAL, attempts INTEGER NOT NULL DEFAULT 0,
    request TEXT NOT NULL, result TEXT, problem TEXT, key TEXT UNIQUE, digest TEXT, owner TEXT);
CREATE INDEX IF NOT EXISTS jobs_by_turn ON jobs (state, kind, created);
CREATE TABLE IF NOT EXISTS lines (
    job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE, number INTEGER NOT NULL, line TEXT NOT NULL,
    PRIMARY KEY (job, number)) WITHOUT ROWID;
""",
    NewColumn("jobs", "owner", "TEXT"),  # which the oldest files lack
    "ALTER TABLE jobs ADD COLUMN ran REAL; UPDATE jobs SET ran = 0 WHERE finished IS NOT NULL;",
    run_clock.SCHEMA,
)


@dataclass(frozen=True, slots=True)
class Job:
    """One job. created, started, finished: seconds since 1970. request: what was asked, JSON types.
    result: of a finished one; problem: of a failed one (the members of problem+json). owner: the name of the
    API key that asked; None without one."""

    id: str
    kind: str
    product: str
    state: State
    created: float
    started: float | None
    finished: float | None
    attempts: int
    request: Mapping[str, Any]
    result: Mapping[str, Any] | None
    problem: Mapping[str, Any] | None
    owner: str | None

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state not in UNFINISHED


class JobStore:
    """The jobs of one state folder. Methods block on the disk and may be called from any thread."""

    def __init__(self, folder: Path, *, ticks: Callable[[], float] = time.monotonic) -> None:
        """ticks: as of RunClock."""
        self._clock = run_clock.RunClock(ticks)
        self._inputs = folder / "jobs"
        self._incoming = folder / "incoming"
        self._db = Database(folder / "jobs.sqlite", _STEPS, first=self._recover, beside=(self._inputs,))

    @property
    def damaged(self) -> Sequence[Path]:
        """Files that were found damaged since the start, and put aside."""
        return self._db.damaged

    def open(self) -> None:
        """Open it, unless it is open. Raises OSError, sqlite3.Error."""
        self._inputs.parent.mkdir(parents=True, exist_ok=True)
        self._db.open()

    def close(self) -> None:
        """After everything else."""
        with suppress(sqlite3.Error), self._db.transaction() as db:
            self._clock.save(db)
        self._db.close()

    @contextmanager
    def receiving(self) -> Iterator[Path]:
        """A new folder for input that is being received; removed on the way out unless `add` took it. Raises
        NotOpen, OSError."""
        self._db.connection()  # what no job can take is not received
        folder = self._incoming / uuid.uuid4().hex
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def add(
        self,
        kind: str,
        product: str,
        request: Mapping[str, Any],
        *,
        folder: Path | None = None,
        key: str | None = None,
        digest: str = "",
        owner: str | None = None,
    ) -> Job:
        """A queued job. folder: its input, from `receiving`; taken over.

        key: the client's idempotency key: the same key with the same digest is the job that is there already.
        Raises KeyReused for the same key with another digest.
        """
        with self._db.transaction() as db:
            row = db.execute("SELECT id, digest FROM jobs WHERE key = ?", (key,)).fetchone() if key else None
            if row is not None:
                if row[1] != digest:
                    raise KeyReused
                return self._found(db, row[0])
            name = uuid.uuid4().hex
            if folder is not None:
                folder.rename(self._inputs / name)
            else:
                (self._inputs / name).mkdir()
            db.execute(
                "INSERT INTO jobs (id, kind, product, state, created, request, key, digest, owner) "
                "VALUES (?, ?, ?, 'queued', ?, ?, ?, ?, ?)",
                (name, kind, product, time.time(), json.dumps(request), key, digest, owner),
            )
            return self._found(db, name)

    def find(self, name: str) -> Job | None:
        """The job of that id, if there is one."""
        with self._db.transaction() as db:
            return _job(db.execute("SELECT * FROM jobs WHERE id = ?", (name,)).fetchone())

    def newest(self, product: str | None = None, *, limit: int = 100) -> list[Job]:
        """Jobs, the newest first."""
        with self._db.transaction() as db:
            rows = db.execute(
                "SELECT * FROM jobs WHERE ?1 IS NULL OR product = ?1 ORDER BY rowid DESC LIMIT ?2",
                (product, limit),
            )
            return [job for row in rows if (job := _job(row))]

    def unfinished(self, owner: str | None = None) -> int:
        """How many jobs wait or run. owner: of this key only."""
        with self._db.transaction() as db:
            rows = db.execute(
                "SELECT count(*) FROM jobs WHERE state IN (?1, ?2) AND (?3 IS NULL OR owner = ?3)",
                (*UNFINISHED, owner),
            )
            return rows.fetchone()[0]

    def take(self, kind: str, passing: Collection[str] = ()) -> Job | None:
        """The oldest queued job of a kind, now running; None without one. passing: ids that are left out."""
        with self._db.transaction() as db:
            row = db.execute(
                "SELECT id FROM jobs WHERE state = 'queued' AND kind = ? "
                "AND id NOT IN (SELECT value FROM json_each(?)) ORDER BY rowid LIMIT 1",
                (kind, json.dumps(list(passing))),
            ).fetchone()
            if row is None:
                return None
            db.execute(
                "UPDATE jobs SET state = 'running', started = ?, attempts = attempts + 1 WHERE id = ?",
                (time.time(), row[0]),
            )
            return self._found(db, row[0])

    def put_back(self, name: str, *, counted: bool = False) -> None:
        """Queue a running job again before it is done. counted: as one of the MOST_ATTEMPTS."""
        with self._db.transaction() as db:
            db.execute(
                "UPDATE jobs SET state = 'queued', attempts = attempts - ? "
                "WHERE id = ? AND state = 'running'",
                (0 if counted else 1, name),
            )

    def end(
        self,
        name: str,
        state: State,
        *,
        result: Mapping[str, Any] | None = None,
        problem: Mapping[str, Any] | None = None,
    ) -> None:
        """End a job that has not ended, and remove its input."""
        texts = (None if value is None else json.dumps(value) for value in (result, problem))
        with self._db.transaction() as db:
            db.execute(
                "UPDATE jobs SET state = ?, finished = ?, ran = ?, result = ?, problem = ? "
                "WHERE id = ? AND state IN ('queued', 'running')",
                (state, time.time(), self._clock.now(), *texts, name),
            )
        shutil.rmtree(self.input(name), ignore_errors=True)

    def input(self, name: str) -> Path:
        """Where the input of a job lies until it ends."""
        return self._inputs / name

    def add_line(self, name: str, line: str) -> None:
        """Append one line to a job's results."""
        with self._db.transaction() as db:
            db.execute(
                "INSERT INTO lines SELECT ?1, 1 + coalesce(max(number), 0), ?2 FROM lines WHERE job = ?1",
                (name, line),
            )

    def count_lines(self, name: str) -> int:
        """How many result lines a job has."""
        with self._db.transaction() as db:
            return db.execute("SELECT count(*) FROM lines WHERE job = ?", (name,)).fetchone()[0]

    def lines(self, name: str, *, after: int = 0, limit: int = 100) -> list[str]:
        """Result lines of a job that follow line number `after` (the first is 1)."""
        with self._db.transaction() as db:
            rows = db.execute(
                "SELECT line FROM lines WHERE job = ? AND number > ? ORDER BY number LIMIT ?",
                (name, after, limit),
            )
            return [row[0] for row in rows]

    def remove(self, name: str) -> bool:
        """Forget a job that has ended; False if it has not, or there is none."""
        with self._db.transaction() as db:
            return bool(
                db.execute("DELETE FROM jobs WHERE id = ? AND finished IS NOT NULL", (name,)).rowcount
            )

    def prune(self, *, keep: int, older_than_s: float, keep_bytes: int) -> None:
        """Forget ended jobs above a number, above an age in seconds that the service ran, and the oldest
        while all jobs take more bytes."""
        with self._db.transaction() as db:
            db.execute(
                "DELETE FROM jobs WHERE finished IS NOT NULL AND (ran < ? OR id IN (SELECT id FROM jobs "
                "WHERE finished IS NOT NULL ORDER BY ran DESC, rowid DESC LIMIT -1 OFFSET ?))",
                (self._clock.save(db) - older_than_s, keep),
            )
        while self._forget_one(keep_bytes):
            pass

    def _forget_one(self, keep_bytes: int) -> bool:
        """Forget the job that ended first, with its lines, if what is in use of the file is too much."""
        with self._db.transaction() as db:
            pages, free, size = (
                db.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("page_count", "freelist_count", "page_size")
            )
            if (pages - free) * size <= keep_bytes:
                return False
            forgotten = db.execute(
                "DELETE FROM jobs WHERE id = (SELECT id FROM jobs WHERE finished IS NOT NULL "
                "ORDER BY ran, rowid LIMIT 1)"
            )
            return bool(forgotten.rowcount)

    def _recover(self, db: sqlite3.Connection) -> None:
        """What a stopped service left running is queued again; input that belongs to no job is removed."""
        self._clock.start(db, "jobs")
        self._inputs.mkdir(exist_ok=True)
        shutil.rmtree(self._incoming, ignore_errors=True)
        self._incoming.mkdir()
        problem = {
            "status": 500,
            "code": "interrupted",
            "detail": f"The service stopped {MOST_ATTEMPTS} times while this job ran. See its log.",
        }
        db.execute(
            "UPDATE jobs SET state = 'failed', finished = ?, ran = ?, problem = ? "
            "WHERE finished IS NULL AND attempts >= ?",
            (time.time(), self._clock.now(), json.dumps(problem), MOST_ATTEMPTS),
        )
        db.execute("UPDATE jobs SET state = 'queued' WHERE state = 'running'")
        kept = {row[0] for row in db.execute("SELECT id FROM jobs WHERE state = 'queued'")}
        for folder in self._inputs.iterdir():
            if folder.name not in kept:
                shutil.rmtree(folder, ignore_errors=True)

    def _found(self, db: sqlite3.Connection, name: str) -> Job:
        job = _job(db.execute("SELECT * FROM jobs WHERE id = ?", (name,)).fetchone())
        assert job is not None
        return job


def _job(row: tuple[Any, ...] | None) -> Job | None:
    if row is None:
        return None
    *plain, request, result, problem, _key, _digest, owner, _ran = row
    return Job(
        *plain,
        request=json.loads(request),
        result=None if result is None else json.loads(result),
        problem=None if problem is None else json.loads(problem),
        owner=owner,
    )
