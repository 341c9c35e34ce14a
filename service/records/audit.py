"""Who changed what, and when: <state>/audit.sqlite. Nothing deletes these rows, so the file only grows.

A change takes some 400 bytes: a hundred verdicts a day are 15 MB a year.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from service.records.database import Database
from service.records.pages import Condition, all_pages, any_of, newest_rows

FILE = "audit.sqlite"
_STEPS = (
    """
CREATE TABLE IF NOT EXISTS changes (
    number INTEGER PRIMARY KEY AUTOINCREMENT, time REAL NOT NULL, action TEXT NOT NULL, who TEXT NOT NULL,
    address TEXT NOT NULL, request_id TEXT, product TEXT, bank_version TEXT, subject TEXT,
    before TEXT NOT NULL, after TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS changes_by_product ON changes (product, number);
""",
)


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
        return (
            ("product = ?", self.product),
            any_of("product", self.products),
            ("action = ?", self.action),
            ("who = ?", self.who),
            ("time >= ?", self.since),
            ("time < ?", self.until),
        )


_COLUMNS = (
    "time",
    "action",
    "who",
    "address",
    "request_id",
    "product",
    "bank_version",
    "subject",
    "before",
    "after",
)
_SELECT = f"SELECT number, {', '.join(_COLUMNS)} FROM changes"  # noqa: S608 - our own names


class Audit:
    """The changes of one state folder. The methods block on the disk; any thread or process may call them."""

    def __init__(self, folder: Path) -> None:
        self._db = Database(folder / FILE, _STEPS, first=_read_newest)

    @property
    def damaged(self) -> Sequence[Path]:
        """The damaged files that were renamed since the start."""
        return self._db.damaged

    def open(self) -> None:
        """Open the file, unless the file is open, in a folder that exists. Raises OSError, sqlite3.Error."""
        self._db.open()

    def close(self) -> None:
        """Close the file. No other method may be called afterwards."""
        self._db.close()

    def add(self, change: Change) -> None:
        """Put a change on record. Raises sqlite3.Error."""
        values = [getattr(change, name) for name in _COLUMNS[:-2]]
        values += [json.dumps(dict(state), sort_keys=True) for state in (change.before, change.after)]
        with self._db.transaction() as db:
            db.execute(
                f"INSERT INTO changes ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(values))})",  # noqa: S608 - our own names
                values,
            )

    def newest(
        self, asked: ChangeFilter, *, before: int | None = None, limit: int = 100
    ) -> list[tuple[int, Change]]:
        """Changes with their numbers, the newest first. before: only changes with a lower number.

        Raises sqlite3.Error.
        """
        with self._db.transaction() as db:
            rows = newest_rows(db, _SELECT, "number", asked.conditions(), before=before, limit=limit)
        return [(row[0], _change(row[1:])) for row in rows]

    def all(self, asked: ChangeFilter, *, page: int = 500) -> Iterator[list[tuple[int, Change]]]:
        """Every change, the newest first, page by page."""
        return all_pages(lambda before: self.newest(asked, before=before, limit=page), lambda one: one[0])


def _read_newest(db: sqlite3.Connection) -> None:
    """Read a row, so that damage shows when the file is opened. Raises sqlite3.Error."""
    db.execute("SELECT * FROM changes ORDER BY number DESC LIMIT 1").fetchone()


def _change(row: Sequence[Any]) -> Change:
    facts = dict(zip(_COLUMNS, row, strict=True))
    return Change(**facts | {name: json.loads(facts[name]) for name in ("before", "after")})
