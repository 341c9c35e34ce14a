"""Jobs on disk: one SQLite file (WAL), and one input folder for each job. A restart loses no job.

<state>/jobs.sqlite     the requests, states and results; one row for each result line
<state>/jobs/<id>/      the job's input; deleted when the job ends
<state>/incoming/       inputs that are being received; emptied at the start
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
from service.records.pages import any_of, newest_rows
from service.refusals import KeyReused

State = Literal["queued", "running", "done", "failed", "cancelled"]
UNFINISHED: tuple[State, ...] = ("queued", "running")
MAX_ATTEMPTS = 3
"""The most starts of one job: a job that crashes the service must not do so for ever."""

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
    NewColumn("jobs", "owner", "TEXT"),  # the oldest files lack this column
    "ALTER TABLE jobs ADD COLUMN ran REAL; UPDATE jobs SET ran = 0 WHERE finished IS NOT NULL;",
    run_clock.SCHEMA,
)


@dataclass(frozen=True, slots=True)
class Job:
    """One job.

    created, started, finished: seconds since 1970.
    attempts: how often the job was started.
    request: the job's request, in JSON types.
    result: a finished job's result, in JSON types.
    problem: a failed job's problem, with the members of problem+json.
    owner: the name of the API key that sent the request; None without a key.
    """

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
        """Whether the job is done, failed or cancelled."""
        return self.state not in UNFINISHED


class JobStore:
    """The jobs of one state folder. The methods block on the disk; any thread may call them."""

    def __init__(self, folder: Path, *, ticks: Callable[[], float] = time.monotonic) -> None:
        """Create the store; `open` opens the file. ticks: as in RunClock."""
        self._clock = run_clock.RunClock(ticks)
        self._inputs = folder / "jobs"
        self._incoming = folder / "incoming"
        self._db = Database(folder / "jobs.sqlite", _STEPS, first=self._recover, beside=(self._inputs,))

    @property
    def damaged(self) -> Sequence[Path]:
        """The damaged files that were renamed since the start."""
        return self._db.damaged

    def open(self) -> None:
        """Open the file, unless the file is open. Raises OSError, sqlite3.Error."""
        self._inputs.parent.mkdir(parents=True, exist_ok=True)
        self._db.open()

    def close(self) -> None:
        """Close the file. No other method may be called afterwards."""
        with suppress(sqlite3.Error), self._db.transaction() as db:
            self._clock.save(db)
        self._db.close()

    @contextmanager
    def receiving(self) -> Iterator[Path]:
        """A new folder for the input of a job that is being received.

        The folder is deleted at the end, unless `add` moved the folder. Raises NotOpen, OSError.
        """
        self._db.connection()  # without an open file no job can be added
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
        """Queue a job.

        kind: the kind of job.
        product: the product's name.
        request: the job's request, in JSON types.
        folder: the job's input, from `receiving`; `add` moves the folder.
        key: the client's idempotency key.
        digest: of the request.
        owner: the name of the API key that sent the request.

        Returns the new job, or the job that has the same key and digest. Raises KeyReused where a job has the
        same key and another digest.
        """
        with self._db.transaction() as db:
            row = db.execute("SELECT id, digest FROM jobs WHERE key = ?", (key,)).fetchone() if key else None
            if row is not None:
                if row[1] != digest:
                    raise KeyReused
                return self._job_of(db, row[0])
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
            return self._job_of(db, name)

    def find(self, name: str) -> Job | None:
        """The job with this id; None where there is no such job."""
        with self._db.transaction() as db:
            return _job(db.execute("SELECT * FROM jobs WHERE id = ?", (name,)).fetchone())

    def newest(
        self,
        product: str | None = None,
        *,
        products: Collection[str] | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> list[tuple[int, Job]]:
        """Jobs with their numbers, the newest first.

        product: only jobs of this product.
        products: only jobs of any of these products.
        before: only jobs with a lower number.
        limit: the most jobs.
        """
        conditions = ("product = ?", product), any_of("product", products)
        with self._db.transaction() as db:
            rows = newest_rows(
                db, "SELECT rowid, * FROM jobs", "rowid", conditions, before=before, limit=limit
            )
        return [(row[0], job) for row in rows if (job := _job(row[1:]))]

    def unfinished(self, owner: str | None = None, *, product: str | None = None) -> int:
        """The number of jobs that wait or run. owner, product: only jobs of this API key, of this product."""
        with self._db.transaction() as db:
            rows = db.execute(
                "SELECT count(*) FROM jobs WHERE state IN (?1, ?2) AND (?3 IS NULL OR owner = ?3) "
                "AND (?4 IS NULL OR product = ?4)",
                (*UNFINISHED, owner, product),
            )
            return rows.fetchone()[0]

    def take(self, kind: str, passing: Collection[str] = ()) -> Job | None:
        """Start the oldest queued job of a kind. Returns the job, or None where no job waits.

        passing: ids of jobs that are skipped.
        """
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
            return self._job_of(db, row[0])

    def put_back(self, name: str, *, counted: bool = False) -> None:
        """Queue a running job again. counted: whether the run counts as one of the MAX_ATTEMPTS."""
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
        """End a job that has not ended, and delete the job's input.

        state: the job's last state.
        result: a finished job's result.
        problem: a failed job's problem.
        """
        texts = (None if value is None else json.dumps(value) for value in (result, problem))
        with self._db.transaction() as db:
            db.execute(
                "UPDATE jobs SET state = ?, finished = ?, ran = ?, result = ?, problem = ? "
                "WHERE id = ? AND state IN ('queued', 'running')",
                (state, time.time(), self._clock.now(), *texts, name),
            )
        shutil.rmtree(self.input(name), ignore_errors=True)

    def input(self, name: str) -> Path:
        """The folder of a job's input. The folder exists until the job ends."""
        return self._inputs / name

    def add_line(self, name: str, line: str) -> None:
        """Append one line to a job's results."""
        with self._db.transaction() as db:
            db.execute(
                "INSERT INTO lines SELECT ?1, 1 + coalesce(max(number), 0), ?2 FROM lines WHERE job = ?1",
                (name, line),
            )

    def count_lines(self, name: str) -> int:
        """The number of a job's result lines."""
        with self._db.transaction() as db:
            return db.execute("SELECT count(*) FROM lines WHERE job = ?", (name,)).fetchone()[0]

    def lines(self, name: str, *, after: int = 0, limit: int = 100) -> list[str]:
        """A job's result lines.

        after: the number of the line before the first line; the first line has the number 1.
        limit: the most lines.
        """
        with self._db.transaction() as db:
            rows = db.execute(
                "SELECT line FROM lines WHERE job = ? AND number > ? ORDER BY number LIMIT ?",
                (name, after, limit),
            )
            return [row[0] for row in rows]

    def remove(self, name: str) -> bool:
        """Delete a job that has ended. Returns False where the job has not ended or does not exist."""
        with self._db.transaction() as db:
            return bool(
                db.execute("DELETE FROM jobs WHERE id = ? AND finished IS NOT NULL", (name,)).rowcount
            )

    def prune(self, *, keep: int, older_than_s: float, keep_bytes: int) -> None:
        """Delete ended jobs.

        keep: the most ended jobs.
        older_than_s: the highest age, in seconds that the service ran.
        keep_bytes: the most bytes of all jobs; the oldest ended jobs are deleted above it.
        """
        with self._db.transaction() as db:
            db.execute(
                "DELETE FROM jobs WHERE finished IS NOT NULL AND (ran < ? OR id IN (SELECT id FROM jobs "
                "WHERE finished IS NOT NULL ORDER BY ran DESC, rowid DESC LIMIT -1 OFFSET ?))",
                (self._clock.save(db) - older_than_s, keep),
            )
        while self._delete_one(keep_bytes):
            pass

    def _delete_one(self, keep_bytes: int) -> bool:
        """Delete the job that ended first if the file uses more than `keep_bytes`.

        Returns whether a job is deleted.
        """
        with self._db.transaction() as db:
            pages, free, size = (
                db.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("page_count", "freelist_count", "page_size")
            )
            if (pages - free) * size <= keep_bytes:
                return False
            deleted = db.execute(
                "DELETE FROM jobs WHERE id = (SELECT id FROM jobs WHERE finished IS NOT NULL "
                "ORDER BY ran, rowid LIMIT 1)"
            )
            return bool(deleted.rowcount)

    def _recover(self, db: sqlite3.Connection) -> None:
        """Queue the jobs again that a stopped service was running, and delete the input of no job."""
        self._clock.start(db, "jobs")
        self._inputs.mkdir(exist_ok=True)
        shutil.rmtree(self._incoming, ignore_errors=True)
        self._incoming.mkdir()
        problem = {
            "status": 500,
            "code": "interrupted",
            "detail": f"The server stopped {MAX_ATTEMPTS} times during this job. The server's log says why.",
        }
        db.execute(
            "UPDATE jobs SET state = 'failed', finished = ?, ran = ?, problem = ? "
            "WHERE finished IS NULL AND attempts >= ?",
            (time.time(), self._clock.now(), json.dumps(problem), MAX_ATTEMPTS),
        )
        db.execute("UPDATE jobs SET state = 'queued' WHERE state = 'running'")
        kept = {row[0] for row in db.execute("SELECT id FROM jobs WHERE state = 'queued'")}
        lost = [name for name in kept if not self.input(name).is_dir()]  # after a restored backup
        problem["detail"] = "The input of this job is gone. Send it again."
        db.execute(
            "UPDATE jobs SET state = 'failed', finished = ?, ran = ?, problem = ? "
            "WHERE id IN (SELECT value FROM json_each(?))",
            (time.time(), self._clock.now(), json.dumps(problem), json.dumps(lost)),
        )
        for folder in self._inputs.iterdir():
            if folder.name not in kept:
                shutil.rmtree(folder, ignore_errors=True)

    def _job_of(self, db: sqlite3.Connection, name: str) -> Job:
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
