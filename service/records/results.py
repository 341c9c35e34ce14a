"""Results on disk, <state>/results.sqlite: each part's result, a small picture, and people's feedback.

The oldest results are deleted by age. Above the limit of bytes the oldest results of the product that takes
the most bytes are deleted, so that a product with many parts does not push out the results of the others.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import astuple, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from service.answers.scan import Once
from service.records import run_clock
from service.records.database import Database, NewColumn
from service.records.pages import Condition, all_pages, any_of, following_rows, newest_rows
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
    NewColumn("results", "judged_by", "TEXT"),
    NewColumn("results", "labels", "TEXT NOT NULL DEFAULT '{}'"),
    """
ALTER TABLE results ADD COLUMN job TEXT;
CREATE INDEX results_by_job ON results (job, number) WHERE job IS NOT NULL;
""",
)
_HAS_LABEL = "EXISTS (SELECT 1 FROM json_each(labels) WHERE json_array(key, value) = json(?))"
_OVERHEAD = 512
"""The approximate bytes of a row without its answer and picture."""
_BATCH = 64
"""Rows that are deleted together: a call then takes little time, and most calls delete nothing."""


@dataclass(frozen=True, slots=True)
class Result:
    """One part's result.

    created: seconds since 1970.
    labels: what the client said of the part, by name, as JSON.
    simulates: for a shadow's result, the id of the active version's result for the same part.
    answer: the whole result as JSON.
    job: the id of the batch job that the part belongs to.
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
    labels: str = "{}"
    job: str | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """A result on record, with people's feedback.

    number: grows with every result.
    verdict, verdict_time, note: a person's feedback; the time is in seconds since 1970.
    judged_by: who gave the feedback.
    answered: whether the client was still connected when the answer was sent.
    """

    number: int
    result: Result
    verdict: Verdict | None
    verdict_time: float | None
    note: str | None
    judged_by: str | None
    answered: bool


@dataclass(frozen=True, slots=True)
class Filter:
    """Which results are listed; None accepts any value.

    products: any of these products.
    labels: results that have all these labels.
    verdict: "none" means results without feedback.
    since, until: seconds since 1970; `since` is included, `until` is not.
    score_from, score_below: scores; `score_from` is included, `score_below` is not.
    job: results of the batch job with this id.
    plane_found: results for which the plane under the part was found, or was not.
    simulated: the results of shadows, instead of the results that decided.
    """

    product: str | None = None
    bank_version: str | None = None
    part_id: str | None = None
    decision: str | None = None
    verdict: Verdict | Literal["none"] | None = None
    since: float | None = None
    until: float | None = None
    score_from: float | None = None
    score_below: float | None = None
    job: str | None = None
    plane_found: bool | None = None
    simulated: bool = False
    products: Collection[str] | None = None
    labels: Mapping[str, str] = field(default_factory=dict)

    def conditions(self) -> Sequence[Condition]:
        """The filter in SQL."""
        return (
            ("(simulates IS NOT NULL) = ?", self.simulated),
            ("product = ?", self.product),
            any_of("product", self.products),
            ("bank_version = ?", self.bank_version),
            ("part_id = ?", self.part_id),
            ("decision = ?", self.decision),
            ("coalesce(verdict, 'none') = ?", self.verdict),
            ("created >= ?", self.since),
            ("created < ?", self.until),
            ("score >= ?", self.score_from),
            ("score < ?", self.score_below),
            ("job = ?", self.job),
            ("json_extract(answer, '$.plane_found') = ?", self.plane_found),
            *((_HAS_LABEL, json.dumps(label)) for label in self.labels.items()),
        )


_COLUMNS = tuple(one.name for one in fields(Result))
_SELECT = (
    f"SELECT {', '.join(_COLUMNS)}, number, verdict, verdict_time, note, judged_by, answered FROM results"  # noqa: S608 - our own names
)


class ResultStore:
    """The results of one state folder. The methods block on the disk; any thread may call them.

    keep_s: the age, in seconds that the service ran, above which results are deleted.
    keep_bytes: the sum of bytes above which results of the product with the most bytes are deleted.
    ticks: as in RunClock.
    """

    def __init__(
        self, folder: Path, *, keep_s: float, keep_bytes: int, ticks: Callable[[], float] = time.monotonic
    ) -> None:
        parts = folder / "parts"  # see `service.records.kept_parts`
        self._db = Database(folder / "results.sqlite", _STEPS, first=self._start, beside=(parts,))
        self._clock = run_clock.RunClock(ticks)
        self._keep_s = keep_s
        self._keep_bytes = keep_bytes
        self._bytes: Counter[str] = Counter()  # by product

    @property
    def damaged(self) -> Sequence[Path]:
        """The damaged files that were renamed since the start."""
        return self._db.damaged

    def open(self) -> None:
        """Open the file, unless the file is open, in a folder that exists. Raises OSError, sqlite3.Error."""
        self._db.open()

    def _start(self, db: sqlite3.Connection) -> None:
        self._clock.start(db, "results")
        self._bytes = Counter(dict(db.execute("SELECT product, sum(bytes) FROM results GROUP BY product")))

    def close(self) -> None:
        """Close the file. No other method may be called afterwards."""
        with suppress(sqlite3.Error), self._db.transaction() as db:
            self._clock.save(db)
        self._db.close()

    def add(self, result: Result, picture: bytes, once: Once | None = None) -> None:
        """Add a result.

        picture: a small JPEG of the part.
        once: the request, if the client may send the request again.

        Raises sqlite3.Error, such as for a full disk, and sqlite3.IntegrityError where the request has a
        result already.
        """
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
        self._bytes[result.product] += size
        if self._bytes.total() > self._keep_bytes or (added.lastrowid or 0) % _BATCH == 0:
            self.prune()

    def find(self, name: str) -> Kept | None:
        """The result with this id, if it is on record."""
        with self._db.transaction() as db:
            row = db.execute(f"{_SELECT} WHERE id = ?", (name,)).fetchone()
        return _kept(row) if row else None

    def answered(self, once: Once) -> Result | None:
        """The result of this request, if it is on record.

        Raises KeyReused where another request used the key.
        """
        with self._db.transaction() as db:
            row = db.execute("SELECT result, digest FROM requests WHERE key = ?", (once.key,)).fetchone()
        if row is None:
            return None
        name, digest = row
        if digest != once.digest:
            raise KeyReused
        kept = self.find(name)
        return kept.result if kept else None

    def known(self, names: Iterable[str]) -> list[tuple[str, str]]:
        """The ids that are on record, the oldest first, each with its product."""
        with self._db.transaction() as db:
            rows = db.execute(
                "SELECT id, product FROM results "
                "WHERE id IN (SELECT value FROM json_each(?)) ORDER BY number",
                (json.dumps(list(names)),),
            )
            return rows.fetchall()

    def recent_products(self) -> list[str]:
        """The products with results on record, the product of the newest result first."""
        with self._db.transaction() as db:
            rows = db.execute("SELECT product FROM results GROUP BY product ORDER BY max(number) DESC")
            return [row[0] for row in rows]

    def picture(self, name: str) -> bytes | None:
        """A result's small picture, a JPEG."""
        with self._db.transaction() as db:
            row = db.execute("SELECT picture FROM results WHERE id = ?", (name,)).fetchone()
        return row[0] if row else None

    def newest(self, asked: Filter, *, before: int | None = None, limit: int = 100) -> list[Kept]:
        """Results, the newest first.

        before: only results with a lower number.
        limit: the most results.
        """
        with self._db.transaction() as db:
            rows = newest_rows(db, _SELECT, "number", asked.conditions(), before=before, limit=limit)
        return [_kept(row) for row in rows]

    def following(self, asked: Filter, *, after: int, limit: int) -> list[Kept]:
        """Results with a higher number than `after`, the oldest first, at most `limit`."""
        with self._db.transaction() as db:
            rows = following_rows(db, _SELECT, "number", asked.conditions(), after=after, limit=limit)
        return [_kept(row) for row in rows]

    def last_number(self) -> int:
        """The number of the newest result on record; 0 without one."""
        with self._db.transaction() as db:
            return db.execute("SELECT coalesce(max(number), 0) FROM results").fetchone()[0]

    def all(self, asked: Filter, *, page: int = 500) -> Iterator[list[Kept]]:
        """Every result, the newest first, page by page. Other calls may use the store between two pages."""
        return all_pages(
            lambda before: self.newest(asked, before=before, limit=page), lambda kept: kept.number
        )

    def scores(self, asked: Filter, *, limit: int) -> list[tuple[float, Verdict | None]]:
        """The scores and verdicts of the newest results."""
        with self._db.transaction() as db:
            rows = newest_rows(
                db, "SELECT score, verdict FROM results", "number", asked.conditions(), limit=limit
            )
        return [(score, verdict) for score, verdict in rows]

    def judge(
        self, name: str, verdict: Verdict | None, note: str | None = None, who: str | None = None
    ) -> Kept | None:
        """Set a person's feedback for a part.

        verdict: None removes the feedback.
        who: gave the feedback.

        Returns the result, or None where no result has this id.
        """
        when = None if verdict is None else time.time()
        with self._db.transaction() as db:
            db.execute(
                "UPDATE results SET verdict = ?, verdict_time = ?, note = ?, judged_by = ? WHERE id = ?",
                (verdict, when, note if verdict else None, who if verdict else None, name),
            )
        return self.find(name)

    def mark(self, name: str, *, answered: bool) -> None:
        """Remember whether the client got the result with this id."""
        with self._db.transaction() as db:
            db.execute("UPDATE results SET answered = ?1 WHERE id = ?2 AND answered != ?1", (answered, name))

    def prune(self) -> None:
        """Delete results above the age, except results with feedback, and results above the bytes."""
        while self._delete_some():
            pass

    def _delete_some(self) -> bool:
        left = self._bytes.copy()
        with self._db.transaction() as db:
            too_old = self._clock.save(db) - self._keep_s
            old: set[int] = set()
            for number, product, size in db.execute(
                "SELECT number, product, bytes FROM results WHERE ran < ? AND verdict IS NULL LIMIT ?",
                (too_old, _BATCH),
            ):
                old.add(number)
                left[product] -= size
            oldest: dict[str, sqlite3.Cursor] = {}
            while left.total() > self._keep_bytes and len(old) < 2 * _BATCH:
                product = max(left, key=left.__getitem__)
                if product not in oldest:
                    oldest[product] = db.execute(
                        "SELECT number, bytes FROM results WHERE product = ? ORDER BY number", (product,)
                    )
                row = next((row for row in oldest[product] if row[0] not in old), None)
                if row is None:
                    break
                old.add(row[0])
                left[product] -= row[1]
            db.execute(
                "DELETE FROM results WHERE number IN (SELECT value FROM json_each(?))", (json.dumps([*old]),)
            )
        self._bytes = +left
        return bool(old)


def _kept(row: tuple[Any, ...]) -> Kept:
    *values, number, verdict, verdict_time, note, judged_by, answered = row
    return Kept(number, Result(*values), verdict, verdict_time, note, judged_by, bool(answered))
