"""Jobs on record, and one input folder for each job. A restart loses no job.

<state>/jobs.sqlite     the requests, states and results; one row for each result line
<state>/jobs/<id>/      the job's input; deleted when the job ends
<state>/incoming/       inputs that are being received; emptied at the start
"""

from __future__ import annotations

import json
import shutil
import time
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields
from operator import eq
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Row, bindparam, delete, func, insert, or_, select, update

from service.disk_faults import RecordsError
from service.records.database import database_of
from service.records.pages import any_of, conditions_of, in_pieces, newest_rows
from service.records.run_clock import RunClock
from service.records.schema import JOBS, LINES
from service.records.server_name import server_name
from service.refusals import KeyReused

State = Literal["queued", "running", "done", "failed", "cancelled"]
UNFINISHED: tuple[State, ...] = ("queued", "running")
MAX_ATTEMPTS = 3
"""The most starts of one job: a job that crashes the service must not do so for ever."""

_C = JOBS.c
_LINE_BYTES = 48
"""The approximate bytes of a line's row without its text."""


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


_THIS = _C.id == bindparam("name")
_FIND = select(JOBS).where(_THIS)
_LAST_LINE = select(func.max(LINES.c.number)).where(LINES.c.job == bindparam("name"))
_ADD_LINE = insert(LINES)
_GROW = update(JOBS).where(_THIS).values(bytes=_C.bytes + bindparam("more"))
_FIELDS = tuple(one.name for one in fields(Job))
_JSON = ("request", "result", "problem")


class JobStore:
    """The jobs of one state folder; in a shared database, those of other servers too.

    The methods block on the disk; any thread may call them.
    """

    def __init__(
        self, folder: Path, uri: str | None = None, *, ticks: Callable[[], float] = time.monotonic
    ) -> None:
        """Create the store; `open` opens the database. uri: as for `database_of`. ticks: as in RunClock."""
        self._clock = RunClock(ticks)
        self._inputs = folder / "jobs"
        self._incoming = folder / "incoming"
        self._server = ""  # a file has the jobs of one server
        self._db = database_of("jobs", folder, uri, first=self._recover, beside=(self._inputs,))

    @property
    def shared(self) -> bool:
        """Whether other servers may have the jobs, too."""
        return self._db.shared

    @property
    def news(self) -> int:
        """Grows after a server said that jobs changed; 0 where no other server has the jobs."""
        return self._db.heard

    @property
    def damaged(self) -> Sequence[Path]:
        """The damaged files that were renamed since the start."""
        return self._db.damaged

    def open(self) -> None:
        """Open the database, unless it is open. Raises OSError, RecordsError."""
        self._inputs.parent.mkdir(parents=True, exist_ok=True)
        if self._db.shared:
            self._server = server_name(self._inputs.parent)
        self._db.open()

    def close(self) -> None:
        """Close the database. No other method may be called afterwards."""
        with suppress(RecordsError), self._db.transaction() as db:
            self._clock.save(db)
        self._db.close()

    @contextmanager
    def receiving(self) -> Iterator[Path]:
        """A new folder for the input of a job that is being received.

        The folder is deleted at the end, unless `add` moved the folder. Raises NotOpen, OSError.
        """
        self._db.check_open()
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
        name, text = uuid.uuid4().hex, json.dumps(request)
        values = {"id": name, "kind": kind, "product": product, "state": "queued", "created": time.time()}
        values |= {"request": text, "key": key, "digest": digest, "owner": owner, "bytes": len(text)}
        values["server"] = self._server
        try:
            with self._db.transaction() as db:
                self._db.in_turn(db)  # so that two servers do not both add a job for one key
                row = db.execute(select(_C.id, _C.digest).where(_C.key == key)).one_or_none() if key else None
                if row is not None:
                    if row.digest != digest:
                        raise KeyReused
                    return self._job_of(db, row.id)
                if folder is not None:
                    folder.rename(self.input(name))
                else:
                    self.input(name).mkdir()
                db.execute(insert(JOBS), values)
                self._db.tell(db)
                return self._job_of(db, name)
        except RecordsError:  # such as a full disk, which the input must not keep full
            with suppress(RecordsError):
                self._delete_unused_inputs()
            raise

    def find(self, name: str) -> Job | None:
        """The job with this id; None where there is no such job."""
        with self._db.transaction() as db:
            row = db.execute(_FIND, {"name": name}).one_or_none()
        return _job(row) if row else None

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
        conditions = conditions_of((eq, _C.product, product), (any_of, _C.product, products))
        with self._db.transaction() as db:
            rows = newest_rows(db, select(JOBS), _C.number, conditions, before=before, limit=limit)
        return [(row.number, _job(row)) for row in rows]

    def unfinished(self, owner: str | None = None) -> int:
        """The number of this server's jobs that wait or run. owner: only jobs of this API key."""
        return self._count(_C.server == self._server, *conditions_of((eq, _C.owner, owner)))

    def unfinished_of(self, product: str) -> int:
        """The number of a product's jobs that wait or run, also on other servers."""
        return self._count(_C.product == product)

    def _count(self, *conditions: ColumnElement[bool]) -> int:
        asked = select(func.count()).where(_C.state.in_(UNFINISHED), *conditions)
        with self._db.transaction() as db:
            return db.execute(asked).scalar_one()

    def take(self, kind: str, passing: Collection[str] = ()) -> Job | None:
        """Start a queued job of a kind of this server. Returns the job, or None where no job waits.

        Products take turns: the product whose last start is longest ago comes first, with its oldest job.

        passing: ids of jobs that are skipped.
        """
        own = JOBS.alias()
        of_kind = own.c.kind == kind, own.c.server == self._server
        last = select(func.max(own.c.started)).where(own.c.product == _C.product, *of_kind).scalar_subquery()
        queued = select(_C.id).where(_C.state == "queued", _C.kind == kind, _C.server == self._server)
        queued = queued.where(_C.id.not_in(passing)).order_by(func.coalesce(last, 0), _C.number)
        with self._db.transaction() as db:
            self._db.in_turn(db)  # so that two workers do not both take a job
            name = db.execute(queued.limit(1)).scalar_one_or_none()
            if name is None:
                return None
            started = {"state": "running", "started": time.time(), "attempts": _C.attempts + 1}
            db.execute(update(JOBS).where(_C.id == name).values(started))
            self._db.tell(db)
            return self._job_of(db, name)

    def put_back(self, name: str, *, counted: bool = False) -> None:
        """Queue a running job again. counted: whether the run counts as one of the MAX_ATTEMPTS."""
        running = update(JOBS).where(_C.id == name, _C.state == "running")
        with self._db.transaction() as db:
            db.execute(running.values(state="queued", attempts=_C.attempts - (0 if counted else 1)))
            self._db.tell(db)

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
        texts = {
            column: None if value is None else json.dumps(value)
            for column, value in (("result", result), ("problem", problem))
        }
        size = sum(len(text) for text in texts.values() if text)
        ended = update(JOBS).where(_C.id == name, _C.state.in_(UNFINISHED))
        with self._db.transaction() as db:
            facts = {"state": state, "finished": time.time(), "ran": self._clock.now()}
            db.execute(ended.values(**facts, **texts, bytes=_C.bytes + size))
            self._db.tell(db)
        shutil.rmtree(self.input(name), ignore_errors=True)

    def input(self, name: str) -> Path:
        """The folder of a job's input. The folder exists until the job ends."""
        return self._inputs / name

    def add_line(self, name: str, line: str) -> None:
        """Append one line to a job's results."""
        with self._db.transaction() as db:
            last = db.execute(_LAST_LINE, {"name": name}).scalar_one() or 0
            db.execute(_ADD_LINE, {"job": name, "number": last + 1, "line": line})
            db.execute(_GROW, {"name": name, "more": len(line) + _LINE_BYTES})

    def count_lines(self, name: str) -> int:
        """The number of a job's result lines."""
        with self._db.transaction() as db:
            return db.execute(select(func.count()).where(LINES.c.job == name)).scalar_one()

    def lines(self, name: str, *, after: int = 0, limit: int = 100) -> list[str]:
        """A job's result lines.

        after: the number of the line before the first line; the first line has the number 1.
        limit: the most lines.
        """
        asked = select(LINES.c.line).where(LINES.c.job == name, LINES.c.number > after)
        with self._db.transaction() as db:
            return list(db.execute(asked.order_by(LINES.c.number).limit(limit)).scalars())

    def remove(self, name: str) -> bool:
        """Delete a job that has ended. Returns False where the job has not ended or does not exist."""
        with self._db.transaction() as db:
            ended = delete(JOBS).where(_C.id == name, _C.finished.is_not(None))
            return bool(db.execute(ended).rowcount)

    def prune(self, *, keep: int, older_than_s: float, keep_bytes: int) -> None:
        """Delete ended jobs, and inputs that no job needs: another server may have cancelled their jobs.

        keep: the most ended jobs.
        older_than_s: the highest age, in seconds that the service ran.
        keep_bytes: the most bytes of all jobs; the oldest ended jobs are deleted above it.

        Raises RecordsError.
        """
        self._delete_unused_inputs()
        ended = select(_C.number).where(_C.finished.is_not(None))
        kept = ended.order_by(_C.ran.desc(), _C.number.desc()).limit(keep)
        with self._db.transaction() as db:
            too_old = _C.ran < self._clock.save(db) - older_than_s
            surplus = or_(too_old, _C.number.not_in(kept.scalar_subquery()))
            db.execute(delete(JOBS).where(_C.finished.is_not(None), surplus))
        while self._delete_one(keep_bytes):
            pass

    def _delete_one(self, keep_bytes: int) -> bool:
        """Delete the job that ended first if all jobs take more than `keep_bytes`.

        Returns whether a job is deleted.
        """
        first = select(_C.number).where(_C.finished.is_not(None)).order_by(_C.ran, _C.number).limit(1)
        with self._db.transaction() as db:
            if (db.execute(select(func.sum(_C.bytes))).scalar_one() or 0) <= keep_bytes:
                return False
            return bool(db.execute(delete(JOBS).where(_C.number == first.scalar_subquery())).rowcount)

    def _delete_unused_inputs(self) -> None:
        """Delete the inputs that no job of this server needs. Raises RecordsError."""
        with self._db.transaction() as db:
            self._db.in_turn(db)  # a job that is being added has its input before its row
            needed = self._unfinished_ids(db)
            unused = [folder for folder in self._inputs.glob("*") if folder.name not in needed]
        for folder in unused:
            shutil.rmtree(folder, ignore_errors=True)

    def _unfinished_ids(self, db: Connection) -> set[str]:
        """The ids of this server's jobs that wait or run."""
        unfinished = select(_C.id).where(_C.server == self._server, _C.state.in_(UNFINISHED))
        return set(db.execute(unfinished).scalars())

    def _recover(self, db: Connection) -> None:
        """Queue this server's jobs again that were running, and delete the input of no job."""
        self._clock.start(db, _C.ran)
        self._inputs.mkdir(exist_ok=True)
        shutil.rmtree(self._incoming, ignore_errors=True)
        self._incoming.mkdir()
        problem = {
            "status": 500,
            "code": "interrupted",
            "detail": f"The server stopped {MAX_ATTEMPTS} times during this job. The server's log says why.",
        }
        own = _C.server == self._server
        self._fail(db, own & _C.finished.is_(None) & (_C.attempts >= MAX_ATTEMPTS), problem)
        db.execute(update(JOBS).where(own, _C.state == "running").values(state="queued"))
        kept = self._unfinished_ids(db)
        lost = [name for name in kept if not self.input(name).is_dir()]  # after a restored backup
        problem["detail"] = "The input of this job is gone. Send it again."
        for piece in in_pieces(lost):
            self._fail(db, _C.id.in_(piece), problem)
        for folder in self._inputs.iterdir():
            if folder.name not in kept:
                shutil.rmtree(folder, ignore_errors=True)

    def _fail(self, db: Connection, jobs: ColumnElement[bool], problem: Mapping[str, Any]) -> None:
        facts = {"state": "failed", "finished": time.time(), "ran": self._clock.now()}
        db.execute(update(JOBS).where(jobs).values(**facts, problem=json.dumps(problem)))

    def _job_of(self, db: Connection, name: str) -> Job:
        return _job(db.execute(_FIND, {"name": name}).one())


def _job(row: Row[*tuple[Any, ...]]) -> Job:
    facts = {name: row._mapping[name] for name in _FIELDS}
    return Job(**facts | {name: facts[name] and json.loads(facts[name]) for name in _JSON})
