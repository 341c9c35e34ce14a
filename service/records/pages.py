"""Lists of rows, page by page, the newest first; and the conditions that choose the rows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Column, ColumnElement, Connection, Row, Select

Condition = ColumnElement[bool]
_T = TypeVar("_T")
_MOST_VALUES = 5000
"""Values of one statement: SQLite takes 32,766 at most."""


def conditions_of(
    *asked: tuple[Callable[[ColumnElement[Any], Any], Condition], ColumnElement[Any], Any],
) -> list[Condition]:
    """Conditions, each from a comparison, a column and a value. A value None accepts every row."""
    return [compare(column, value) for compare, column, value in asked if value is not None]


def any_of(column: ColumnElement[str], names: Collection[str]) -> Condition:
    """The condition that a column has one of these names."""
    return column.in_(names)


def newest_rows(
    db: Connection,
    query: Select[*tuple[Any, ...]],
    number: Column[int],
    conditions: Iterable[Condition],
    *,
    before: int | None = None,
    limit: int,
) -> list[Row[*tuple[Any, ...]]]:
    """The rows for which all conditions hold, the newest first.

    query: without conditions.
    number: the column that grows with every row.
    before: only rows with a lower number.
    limit: the most rows.
    """
    asked = query.where(*conditions).order_by(number.desc()).limit(limit)
    return list(db.execute(asked if before is None else asked.where(number < before)))


def following_rows(
    db: Connection,
    query: Select[*tuple[Any, ...]],
    number: Column[int],
    conditions: Iterable[Condition],
    *,
    after: int,
    limit: int,
) -> list[Row[*tuple[Any, ...]]]:
    """The rows with a higher number than `after`, the oldest first. Arguments: as for `newest_rows`."""
    asked = query.where(*conditions, number > after).order_by(number).limit(limit)
    return list(db.execute(asked))


def all_pages(page: Callable[[int | None], list[_T]], number: Callable[[_T], int]) -> Iterator[list[_T]]:
    """Every page of a list.

    page: the page before a number; the first page for None.
    number: the number of an entry.
    """
    before: int | None = None
    while entries := page(before):
        yield entries
        before = number(entries[-1])


def in_pieces(values: Collection[_T]) -> Iterator[list[_T]]:
    """The values, in pieces that fit into one statement."""
    rest = iter(values)
    while piece := list(islice(rest, _MOST_VALUES)):
        yield piece
