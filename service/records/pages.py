"""Lists of rows, page by page, the newest first; and the conditions that choose the rows."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection, Iterator
from typing import Any, TypeVar

Condition = tuple[str, str | float | None]
"""A condition in SQL with one `?`, and the value of the `?`. A condition without a value (None) holds."""
_T = TypeVar("_T")


def any_of(column: str, names: Collection[str] | None) -> Condition:
    """The condition that a column has one of these names. names: None accepts every name."""
    text = None if names is None else json.dumps(list(names))
    return f"{column} IN (SELECT value FROM json_each(?))", text  # noqa: S608 - our own names


def newest_rows(
    db: sqlite3.Connection,
    select: str,
    number: str,
    conditions: Collection[Condition],
    *,
    before: int | None = None,
    limit: int,
) -> list[tuple[Any, ...]]:
    """The rows for which all conditions hold, the newest first.

    select: the query without conditions.
    number: the column that grows with every row.
    before: only rows with a lower number.
    limit: the most rows.
    """
    return _rows(db, select, [*conditions, (f"{number} < ?", before)], f"{number} DESC", limit)


def following_rows(
    db: sqlite3.Connection,
    select: str,
    number: str,
    conditions: Collection[Condition],
    *,
    after: int,
    limit: int,
) -> list[tuple[Any, ...]]:
    """The rows with a higher number than `after`, the oldest first. Arguments: as for `newest_rows`."""
    return _rows(db, select, [*conditions, (f"{number} > ?", after)], number, limit)


def _rows(
    db: sqlite3.Connection, select: str, asked: Collection[Condition], order: str, limit: int
) -> list[tuple[Any, ...]]:
    given = [(condition, value) for condition, value in asked if value is not None]
    where = " AND ".join(["1", *(condition for condition, _ in given)])
    values = [value for _, value in given]
    return db.execute(f"{select} WHERE {where} ORDER BY {order} LIMIT ?", (*values, limit)).fetchall()


def all_pages(page: Callable[[int | None], list[_T]], number: Callable[[_T], int]) -> Iterator[list[_T]]:
    """Every page of a list.

    page: the page before a number; the first page for None.
    number: the number of an entry.
    """
    before: int | None = None
    while entries := page(before):
        yield entries
        before = number(entries[-1])
