"""Results on disk, <state>/results.sqlite: what was said of each part, a small picture, and what people said.

The oldest go first, by age and by bytes, so that the file stays below its limit for years.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any, Literal

from service.answers.scan import Once
from service.records import run_clock
from service.records.database import Database
from service.refusals import KeyReused

Verdict = Literal["good", "defective"]

_STEPS = (
    """
CREATE TABLE IF NOT EXISTS results (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, created REAL NOT NULL,
    product TEXT NOT NULL, part_id TEXT, bank_version TEXT NOT NULL, score REAL NOT NULL,
    threshold REAL NOT NULL, decision TEXT NOT NULL, simulates TEXT,
    verdict TEXT, verdict_time REAL, note TEXT,
    bytes INTEGER NOT NULL, answer TEXT NOT NULL, picture BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS results_by_product ON results (product, number);
CREATE INDEX IF NOT EXISTS results_by_part ON results (part_id) WHERE part_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS results_by_verdict ON results (verdict) WHERE verdict IS NOT NULL;
CREATE TABLE IF NOT EXISTS requests (
    key TEXT PRIMARY KEY, digest TEXT NOT NULL, result TEXT NOT NULL REFERENCES results (id) ON DELETE CASCADE
    ) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS requests_by_result ON requests (result);
""",
    """
ALTER TABLE results ADD COLUMN ran REAL NOT NULL DEFAULT 0;
ALTER TABLE results ADD COLUMN answered INTEGER NOT NULL DEFAULT 1;
CREATE INDEX results_by_age ON results (ran) WHERE verdict IS NULL;
""",
    run_clock.SCHEMA,
)
_OVERHEAD = 512
"""Bytes that a row takes beside its answer and picture, by and large."""
_PRUNED = 64
"""Rows that go at once: no caller waits long, and not each has to."""


@dataclass(frozen=True, slots=True)
class Result:
    """What was said of one part. created: seconds since 1970.

    simulates: of a shadow's result, the id of the active version's on the same part. answer: the whole
    result as JSON.
    """

    id: str
    created: float
    product: str
    part_id: str | None
    bank_version: str
    score: float
    threshold: float
    decision: str
    simulates: str | None
    answer: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A result on record and what people said of it. number: grows with every result. answered: whether who
    asked was still there when it was answered."""

    number: int
    result: Result
    verdict: Verdict | None
    verdict_time: float | None
    note: str | None
    answered: bool


@dataclass(frozen=True, slots=True)
class Filter:
    """Which results; None is any. since, until: seconds since 1970, the first in, the last out. verdict
    "none": those that nobody judged. simulated: those of shadows, instead of those that decided."""

    product: str | None = None
    bank_version: str | None = None
    part_id: str | None = None
    decision: str | None = None
    verdict: Verdict | Literal["none"] | None = None
    since: float | None = None
    until: float | None = None
    simulated: bool = False

    def where(self) -> tuple[str, list[str | float]]:
        """The condition in SQL, and its values."""
        given = (
            ("product = ?", self.product),
            ("bank_version = ?", self.bank_version),
            ("part_id = ?", self.part_id),
            ("decision = ?", self.decision),
            ("coalesce(verdict, 'none') = ?", self.verdict),
            ("created >= ?", self.since),
            ("created < ?", self.until),
        )
        asked = [(condition, value) for condition, value in given if value is not None]
        shadows = f"simulates IS {'NOT ' if self.simulated else ''}NULL"
        return " AND ".join([shadows, *(condition for condition, _ in asked)]), [value for _, value in asked]


_COLUMNS = tuple(field.name for field in fields(Result))
_SELECT = f"SELECT {', '.join(_COLUMNS)}, number, verdict, verdict_time, note, answered FROM results"  # noqa: S608 - our own names


class ResultStore:
    """The results of one state folder. Methods block on the disk and may be called from any thread.

    keep_s, keep_bytes: the age, in seconds that the service ran, and the sum of bytes above which the oldest
    go. ticks: as of RunClock.
    """

    def __init__(
        self, folder: Path, *, keep_s: float, keep_bytes: int, ticks: Callable[[], float] = time.monotonic
    ) -> None:
        parts = folder / "parts"  # see `service.records.kept_parts`
        self._db = Database(folder / "results.sqlite", _STEPS, first=self._begin, beside=(parts,))
        self._clock = run_clock.RunClock(ticks)
        self._keep_s = keep_s
        self._keep_bytes = keep_bytes
        self._bytes = 0

    @property
    def damaged(self) -> Sequence[Path]:
        """Files that were found damaged since the start, and put aside."""
        return self._db.damaged

    def open(self) -> None:
        """Open it, unless it is open, in a folder that is there. Raises OSError, sqlite3.Error."""
        self._db.open()

    def _begin(self, db: sqlite3.Connection) -> None:
        self._clock.start(db, "results")
        self._bytes = db.execute("SELECT coalesce(sum(bytes), 0) FROM results").fetchone()[0]

    def close(self) -> None:
        """After everything else."""
        with suppress(sqlite3.Error), self._db.transaction() as db:
            self._clock.save(db)
        self._db.close()

    def add(self, result: Result, picture: bytes, once: Once | None = None) -> None:
        """Put a result on record. once: the request that it answers. Raises sqlite3.Error, as when the disk
        is full; sqlite3.IntegrityError where that request has a result already."""
        size = len(result.answer) + len(picture) + _OVERHEAD
        values = (*astuple(result), self._clock.now(), size, picture)
        marks = ", ".join("?" * len(values))
        with self._db.transaction() as db:
            added = db.execute(
                f"INSERT INTO results ({', '.join(_COLUMNS)}, ran, bytes, picture) "  # noqa: S608 - our own names
                f"VALUES ({marks})",
                values,
            )
            if once is not None:
                db.execute("INSERT INTO requests VALUES (?, ?, ?)", (once.key, once.digest, result.id))
        self._bytes += size
        if self._bytes > self._keep_bytes or (added.lastrowid or 0) % _PRUNED == 0:
            self.prune()

    def find(self, name: str) -> Kept | None:
        """The result of that id, if it is on record."""
        with self._db.transaction() as db:
            row = db.execute(f"{_SELECT} WHERE id = ?", (name,)).fetchone()
        return _kept(row) if row else None

    def answered(self, once: Once) -> Result | None:
        """The result of that request, if it is on record. Raises KeyReused where its key is of another."""
        with self._db.transaction() as db:
            row = db.execute("SELECT result, digest FROM requests WHERE key = ?", (once.key,)).fetchone()
        if row is None:
            return None
        name, digest = row
        if digest != once.digest:
            raise KeyReused
        kept = self.find(name)
        return kept.result if kept else None

    def known(self, names: Iterable[str]) -> list[str]:
        """Those of these ids that are on record, the oldest first."""
        with self._db.transaction() as db:
            rows = db.execute(
                "SELECT id FROM results WHERE id IN (SELECT value FROM json_each(?)) ORDER BY number",
                (json.dumps(list(names)),),
            )
            return [row[0] for row in rows]

    def picture(self, name: str) -> bytes | None:
        """The small picture of a result: JPEG."""
        with self._db.transaction() as db:
            row = db.execute("SELECT picture FROM results WHERE id = ?", (name,)).fetchone()
        return row[0] if row else None

    def newest(self, asked: Filter, *, before: int | None = None, limit: int = 100) -> list[Kept]:
        """Results, the newest first; only those with a number below `before`."""
        where, values = asked.where()
        with self._db.transaction() as db:
            rows = db.execute(
                f"{_SELECT} WHERE {where} AND number < ? ORDER BY number DESC LIMIT ?",
                (*values, 2**62 if before is None else before, limit),
            ).fetchall()
        return [_kept(row) for row in rows]

    def all(self, asked: Filter, *, page: int = 500) -> Iterator[list[Kept]]:
        """Every result, the newest first, page by page; the store is free between pages."""
        before: int | None = None
        while found := self.newest(asked, before=before, limit=page):
            yield found
            before = found[-1].number

    def scores(self, asked: Filter, *, limit: int) -> list[tuple[float, Verdict | None]]:
        """Score and verdict of the newest results."""
        where, values = asked.where()
        with self._db.transaction() as db:
            return db.execute(
                f"SELECT score, verdict FROM results WHERE {where} "  # noqa: S608 - our own conditions
                "ORDER BY number DESC LIMIT ?",
                (*values, limit),
            ).fetchall()

    def judge(self, name: str, verdict: Verdict | None, note: str | None = None) -> Kept | None:
        """What a person says of the part; None takes it back. None without such a result."""
        when = None if verdict is None else time.time()
        with self._db.transaction() as db:
            db.execute(
                "UPDATE results SET verdict = ?, verdict_time = ?, note = ? WHERE id = ?",
                (verdict, when, note if verdict else None, name),
            )
        return self.find(name)

    def mark(self, name: str, *, answered: bool) -> None:
        """Whether who asked got the result of that id."""
        with self._db.transaction() as db:
            db.execute("UPDATE results SET answered = ?1 WHERE id = ?2 AND answered != ?1", (answered, name))

    def prune(self) -> None:
        """Forget what is too old, unless a person judged it, and the oldest above the bytes."""
        while self._forget_some():
            pass

    def _forget_some(self) -> bool:
        with self._db.transaction() as db:
            too_old = self._clock.save(db) - self._keep_s
            old = dict(
                db.execute(
                    "SELECT number, bytes FROM results WHERE ran < ? AND verdict IS NULL LIMIT ?",
                    (too_old, _PRUNED),
                )
            )
            excess = self._bytes - sum(old.values()) - self._keep_bytes
            if excess > 0:
                oldest = db.execute("SELECT number, bytes FROM results ORDER BY number LIMIT ?", (_PRUNED,))
                for number, size in oldest.fetchall():
                    if excess <= 0:
                        break
                    excess -= 0 if number in old else size
                    old[number] = size
            db.execute(
                "DELETE FROM results WHERE number IN (SELECT value FROM json_each(?))", (json.dumps([*old]),)
            )
        self._bytes -= sum(old.values())
        return bool(old)


def _kept(row: tuple[Any, ...]) -> Kept:
    *values, number, verdict, verdict_time, note, answered = row
    return Kept(number, Result(*values), verdict, verdict_time, note, bool(answered))
