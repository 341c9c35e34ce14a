"""Who changed what, and when: <state>/audit.sqlite. Nothing deletes these rows, so the file only grows.

A change takes some 400 bytes: a hundred verdicts a day are 15 MB a year.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from operator import eq, ge, lt
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from service.records.database import database_of
from service.records.pages import Condition, all_pages, any_of, conditions_of, newest_rows
from service.records.schema import CHANGES

_C = CHANGES.c


@dataclass(frozen=True, slots=True)
class Change:
    """One change.

    action: what was done, in one word such as "activate".
    who: "key NAME", "address IP" where the server has no keys, or "user NAME" for a command.
    address: the IP address of the client; empty for a command.
    subject: the result, job, key or part that was changed.
    before, after: the values that changed, in JSON types; empty where nothing was there.
    time: seconds since 1970.
    """

    action: str
    who: str
    address: str = ""
    request_id: str | None = None
    product: str | None = None
    bank_version: str | None = None
    subject: str | None = None
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)
    time: float = field(default_factory=time.time)


@dataclass(frozen=True, slots=True)
class ChangeFilter:
    """Which changes are listed; None accepts any value.

    since, until: seconds since 1970; `since` is included, `until` is not.
    products: changes of any of these products.
    """

    product: str | None = None
    action: str | None = None
    who: str | None = None
    since: float | None = None
    until: float | None = None
    products: Collection[str] | None = None

    def conditions(self) -> Sequence[Condition]:
        """The filter in SQL."""
        return conditions_of(
            (eq, _C.product, self.product),
            (any_of, _C.product, self.products),
            (eq, _C.action, self.action),
            (eq, _C.who, self.who),
            (ge, _C.time, self.since),
            (lt, _C.time, self.until),
        )


_STATES = ("before", "after")
_FIELDS = tuple(one.name for one in fields(Change))
_INSERT = insert(CHANGES)
_SELECT = select(_C.number, *(_C[name] for name in _FIELDS))


class Audit:
    """The changes of one state folder or database. The methods block; any thread or process may call them."""

    def __init__(self, folder: Path, uri: str | None = None) -> None:
        """Create the object; `open` opens the database. uri: as for `database_of`."""
        self._db = database_of("audit", folder, uri, first=_read_newest)

    @property
    def damaged(self) -> Sequence[Path]:
        """The damaged files that were renamed since the start."""
        return self._db.damaged

    def open(self) -> None:
        """Open the database, unless it is open, in a folder that exists. Raises OSError, RecordsError."""
        self._db.open()

    def close(self) -> None:
        """Close the database. No other method may be called afterwards."""
        self._db.close()

    def add(self, change: Change) -> None:
        """Put a change on record. Raises RecordsError."""
        states = {name: json.dumps(dict(getattr(change, name)), sort_keys=True) for name in _STATES}
        values = {name: getattr(change, name) for name in _FIELDS} | states
        with self._db.transaction() as db:
            db.execute(_INSERT, values)

    def newest(
        self, asked: ChangeFilter, *, before: int | None = None, limit: int = 100
    ) -> list[tuple[int, Change]]:
        """Changes with their numbers, the newest first. before: only changes with a lower number.

        Raises RecordsError.
        """
        with self._db.transaction() as db:
            rows = newest_rows(db, _SELECT, _C.number, asked.conditions(), before=before, limit=limit)
        return [(row.number, _change(row)) for row in rows]

    def all(self, asked: ChangeFilter, *, page: int = 500) -> Iterator[list[tuple[int, Change]]]:
        """Every change, the newest first, page by page."""
        return all_pages(lambda before: self.newest(asked, before=before, limit=page), lambda one: one[0])


def _read_newest(db: Connection) -> None:
    """Read a row, so that damage shows when the file is opened. Raises DBAPIError."""
    db.execute(select(CHANGES).order_by(_C.number.desc()).limit(1)).first()


def _change(row: Row[*tuple[Any, ...]]) -> Change:
    facts = {name: row._mapping[name] for name in _FIELDS}
    return Change(**facts | {name: json.loads(facts[name]) for name in _STATES})
