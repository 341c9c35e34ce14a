"""Lists, page by page; and tables for spreadsheets: CSV in which no text becomes a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, TypeVar

from fastapi import Request, Response
from pydantic import Field

from service.api.services import SharedObjects
from service.http.queries import QueryModel
from service.http.streams import held_stream
from service.threads import on_disk

CSV = "text/csv"
PAGE = 200
"""Rows that are read from the disk at a time."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""How a text begins that a spreadsheet may run as a formula: it may skip a tab or a line end before it."""
_BYTE_ORDER_MARK = "\ufeff"
_T = TypeVar("_T")


class PageQuery(QueryModel):
    """Which page of a list."""

    before: int | None = Field(
        None, ge=0, lt=2**62, description="The value of `next` in the page before.", examples=[1200]
    )
    limit: int = Field(100, ge=1, le=1000, description="Most entries in one page.", examples=[20])

    def next(self, entries: Sequence[_T], number: Callable[[_T], int]) -> int | None:
        """The value of `before` for the next page; None after the last page.

        entries: of this page.
        number: the number of an entry.
        """
        return number(entries[-1]) if len(entries) == self.limit else None


class TableQuery(QueryModel):
    """For whom a table is."""

    excel: bool = Field(
        False,
        description="Begin the table with a byte order mark, so that Excel reads umlauts correctly.",
        examples=[True],
    )


def table_answer(
    name: str,
    columns: Iterable[str],
    pages: Iterator[Sequence[_T]],
    row: Callable[[_T], Iterable[Any]],
    request: Request,
    services: SharedObjects,
    *,
    excel: bool,
) -> Response:
    """A table as a file for download.

    name: of the file. pages: what the rows are made from; each page is read from the disk when it is sent.
    row: the cells of one row. excel: whether the table begins with a byte order mark. Raises Overloaded.
    """

    async def lines() -> AsyncGenerator[str]:
        yield (_BYTE_ORDER_MARK if excel else "") + _csv_text([columns])
        while (page := await on_disk(lambda: next(pages, None))) is not None:
            yield _csv_text(row(one) for one in page)

    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return held_stream(
        lines(), services.exports, request, media_type=CSV, stall_s=services.stall_s, headers=headers
    )


def _csv_text(rows: Iterable[Iterable[Any]]) -> str:
    """Rows as CSV. An apostrophe stands before a text that a spreadsheet would run as a formula."""
    text = io.StringIO()
    csv.writer(text).writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds")
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
