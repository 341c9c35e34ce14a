"""Results on disk, <state>/results.sqlite: each part's result, a small picture, and people's feedback.

The oldest results are deleted by age. Above the limit of bytes the oldest results of the product that takes
the most bytes are deleted, so that a product with many parts does not push out the results of the others.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields
from operator import eq, ge, lt
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, CursorResult, Row, bindparam, delete, func, insert, select, update

from service.answers.scan import Once
from service.disk_faults import RecordsError
from service.records.database import database_of
from service.records.pages import (
    Condition,
    all_pages,
    any_of,
    conditions_of,
    following_rows,
    in_pieces,
    newest_rows,
)
from service.records.run_clock import RunClock
from service.records.schema import REQUESTS, RESULTS, as_json
from service.refusals import KeyReused

Verdict = Literal["good", "defective"]
_C = RESULTS.c
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
        has_labels = [as_json(_C.labels)[name].as_string() == value for name, value in self.labels.items()]
        return [
            _C.simulates.is_not(None) if self.simulated else _C.simulates.is_(None),
            *conditions_of(
                (eq, _C.product, self.product),
                (any_of, _C.product, self.products),
                (eq, _C.bank_version, self.bank_version),
                (eq, _C.part_id, self.part_id),
                (eq, _C.decision, self.decision),
                (eq, func.coalesce(_C.verdict, "none"), self.verdict),
                (ge, _C.created, self.since),
                (lt, _C.created, self.until),
                (ge, _C.score, self.score_from),
                (lt, _C.score, self.score_below),
                (eq, _C.job, self.job),
                (eq, as_json(_C.answer)["plane_found"].as_boolean(), self.plane_found),
            ),
            *has_labels,
        ]


_FIELDS = tuple(one.name for one in fields(Result))
_KEPT = select(
    *(_C[name] for name in _FIELDS),
    *(_C.number, _C.verdict, _C.verdict_time, _C.note, _C.judged_by, _C.answered),
)
_FIND = _KEPT.where(_C.id == bindparam("name"))
_FIND_REQUEST = select(REQUESTS.c.result, REQUESTS.c.digest).where(REQUESTS.c.key == bindparam("key"))
_INSERT = insert(RESULTS)
_INSERT_REQUEST = insert(REQUESTS)
_BYTES = select(_C.product, func.sum(_C.bytes).label("bytes")).group_by(_C.product)
_OLDEST = select(_C.number, _C.bytes).order_by(_C.number).execution_options(yield_per=8)


class ResultStore:
    """The results of one state folder or database. The methods block on the disk; any thread may call them.

    uri: as for `database_of`.
    keep_s: the age, in seconds that the service ran, above which results are deleted.
    keep_bytes: the sum of bytes above which results of the product with the most bytes are deleted.
    ticks: as in RunClock.
    """

    def __init__(
        self,
        folder: Path,
        uri: str | None = None,
        *,
        keep_s: float,
        keep_bytes: int,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        parts = folder / "parts"  # see `service.records.kept_parts`
        self._db = database_of("results", folder, uri, first=self._start, beside=(parts,))
        self._clock = RunClock(ticks)
        self._keep_s = keep_s
        self._keep_bytes = keep_bytes
        self._bytes: Counter[str] = Counter()  # by product
        self._counting = threading.Lock()  # rows and their bytes change together
        self._added = 0  # only the thread that writes changes it

    @property
    def damaged(self) -> Sequence[Path]:
        """The damaged files that were renamed since the start."""
        return self._db.damaged

    @property
    def news(self) -> int:
        """Grows after each result that was put on record, by this server or another one."""
        return self._added + self._db.heard

    def open(self) -> None:
        """Open the database, unless it is open, in a folder that exists. Raises OSError, RecordsError."""
        self._db.open()

    def _start(self, db: Connection) -> None:
        self._clock.start(db, _C.ran)
        self._bytes = _bytes_by_product(db)

    def close(self) -> None:
        """Close the database. No other method may be called afterwards."""
        with suppress(RecordsError), self._db.transaction() as db:
            self._clock.save(db)
        self._db.close()

    def add(self, result: Result, picture: bytes, once: Once | None = None) -> None:
        """Add a result.

        picture: a small JPEG of the part.
        once: the request, if the client may send the request again.

        Raises RecordsError, such as for a full disk, and Conflict where the result is on record or the
        request has a result already.
        """
        size = len(result.answer) + len(picture) + _OVERHEAD
        values = {name: getattr(result, name) for name in _FIELDS}
        values |= {"ran": self._clock.now(), "bytes": size, "picture": picture}
        with self._counting:
            with self._db.transaction() as db:
                self._db.in_turn(db)
                (number,) = db.execute(_INSERT, values).inserted_primary_key or (0,)
                self._db.tell(db)
                if once is not None:
                    db.execute(_INSERT_REQUEST, {"key": once.key, "digest": once.digest, "result": result.id})
            self._bytes[result.product] += size
        self._added += 1
        full = self._bytes.total() > self._keep_bytes and not self._db.shared
        if full or number % _BATCH == 0:
            with suppress(RecordsError):  # the result is on record; `retention` prunes again, and logs
                self.prune()

    def find(self, name: str) -> Kept | None:
        """The result with this id, if it is on record."""
        with self._db.transaction() as db:
            row = db.execute(_FIND, {"name": name}).one_or_none()
        return _kept(row) if row else None

    def answered(self, once: Once) -> Result | None:
        """The result of this request, if it is on record.

        Raises KeyReused where another request used the key.
        """
        with self._db.transaction() as db:
            row = db.execute(_FIND_REQUEST, {"key": once.key}).one_or_none()
        if row is None:
            return None
        name, digest = row
        if digest != once.digest:
            raise KeyReused
        kept = self.find(name)
        return kept.result if kept else None

    def known(self, names: Collection[str]) -> list[tuple[str, str]]:
        """The ids that are on record, the oldest first, each with its product."""
        found = select(_C.number, _C.id, _C.product)
        with self._db.transaction() as db:
            rows = [row for piece in in_pieces(names) for row in db.execute(found.where(_C.id.in_(piece)))]
        return [(row.id, row.product) for row in sorted(rows)]

    def recent_products(self) -> list[str]:
        """The products with results on record, the product of the newest result first."""
        asked = select(_C.product).group_by(_C.product).order_by(func.max(_C.number).desc())
        with self._db.transaction() as db:
            return list(db.execute(asked).scalars())

    def picture(self, name: str) -> bytes | None:
        """A result's small picture, a JPEG."""
        with self._db.transaction() as db:
            return db.execute(select(_C.picture).where(_C.id == name)).scalar_one_or_none()

    def newest(self, asked: Filter, *, before: int | None = None, limit: int = 100) -> list[Kept]:
        """Results, the newest first.

        before: only results with a lower number.
        limit: the most results.
        """
        with self._db.transaction() as db:
            rows = newest_rows(db, _KEPT, _C.number, asked.conditions(), before=before, limit=limit)
        return [_kept(row) for row in rows]

    def following(self, asked: Filter, *, after: int, limit: int) -> list[Kept]:
        """Results with a higher number than `after`, the oldest first, at most `limit`."""
        with self._db.transaction() as db:
            rows = following_rows(db, _KEPT, _C.number, asked.conditions(), after=after, limit=limit)
        return [_kept(row) for row in rows]

    def last_number(self) -> int:
        """The number of the newest result on record; 0 without one."""
        with self._db.transaction() as db:
            return db.execute(select(func.max(_C.number))).scalar_one() or 0

    def all(self, asked: Filter, *, page: int = 500) -> Iterator[list[Kept]]:
        """Every result, the newest first, page by page. Other calls may use the store between two pages."""
        return all_pages(
            lambda before: self.newest(asked, before=before, limit=page), lambda kept: kept.number
        )

    def scores(self, asked: Filter, *, limit: int) -> list[tuple[float, Verdict | None]]:
        """The scores and verdicts of the newest results."""
        with self._db.transaction() as db:
            query = select(_C.score, _C.verdict)
            rows = newest_rows(db, query, _C.number, asked.conditions(), limit=limit)
        return [(row.score, row.verdict) for row in rows]

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
            said = {"note": note, "judged_by": who} if verdict else {"note": None, "judged_by": None}
            judged = update(RESULTS).where(_C.id == name)
            db.execute(judged.values(verdict=verdict, verdict_time=when, **said))
        return self.find(name)

    def mark(self, name: str, *, answered: bool) -> None:
        """Remember whether the client got the result with this id."""
        with self._db.transaction() as db:
            marked = update(RESULTS).where(_C.id == name, _C.answered != int(answered))
            db.execute(marked.values(answered=int(answered)))

    def prune(self) -> None:
        """Delete results above the age, except results with feedback, and results above the bytes."""
        while self._delete_some():
            pass

    def _delete_some(self) -> bool:
        """Delete at most 128 results. Returns whether there may be more to delete."""
        with self._counting:
            with self._db.transaction() as db:
                self._db.in_turn(db)
                # Other servers add and delete, too.
                left = _bytes_by_product(db) if self._db.shared else self._bytes.copy()
                old = self._delete_oldest(db, left)
            self._bytes = +left
        return old >= _BATCH

    def _delete_oldest(self, db: Connection, left: Counter[str]) -> int:
        """Delete results above the age, at most 64, and above the bytes. Returns how many.

        left: the bytes of each product, from which those of the deleted results are taken away.
        """
        too_old = self._clock.save(db) - self._keep_s
        aged = select(_C.number, _C.product, _C.bytes).where(_C.ran < too_old, _C.verdict.is_(None))
        old: set[int] = set()
        for number, product, size in db.execute(aged.limit(_BATCH)):
            old.add(number)
            left[product] -= size
        oldest: dict[str, CursorResult[*tuple[Any, ...]]] = {}
        while left.total() > self._keep_bytes and len(old) < 2 * _BATCH:
            product = max(left, key=left.__getitem__)
            if product not in oldest:
                oldest[product] = db.execute(_OLDEST.where(_C.product == product))
            row = next((row for row in oldest[product] if row.number not in old), None)
            if row is None:
                break
            old.add(row.number)
            left[product] -= row.bytes
        for rows in oldest.values():
            rows.close()
        if old:
            db.execute(delete(RESULTS).where(_C.number.in_(old)))
        return len(old)


def _bytes_by_product(db: Connection) -> Counter[str]:
    return Counter({row.product: int(row.bytes) for row in db.execute(_BYTES)})


def _kept(row: Row[*tuple[Any, ...]]) -> Kept:
    *values, number, verdict, verdict_time, note, judged_by, answered = row
    return Kept(number, Result(*values), verdict, verdict_time, note, judged_by, bool(answered))
