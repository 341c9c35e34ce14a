"""Tables for spreadsheets: CSV in which no text becomes a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import datetime
from typing import Any

CSV = "text/csv"
BYTE_ORDER_MARK = "\ufeff"


def csv_text(rows: Iterable[Iterable[Any]]) -> str:
    """Rows as CSV. An apostrophe stands before a text that a spreadsheet would run as a formula."""
    text = io.StringIO()
    csv.writer(text).writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds")
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t")) else value
