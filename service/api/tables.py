"""Tables for spreadsheets: CSV in which no text becomes a formula, sent page by page."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, TypeVar

from fastapi import Request, Response

from service.api.services import SharedObjects
from service.http.streams import held_stream
from service.threads import on_disk

CSV = "text/csv"
PAGE = 200
"""Rows that are read from the disk at a time."""
_BYTE_ORDER_MARK = "\ufeff"
_T = TypeVar("_T")


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
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t")) else value
