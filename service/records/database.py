"""Where records are kept: what a store asks of a SQLite file, and of a database of PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection

from service.records.sqlite_file import SqliteFile


class Database(Protocol):
    """One group of the tables in `service.records.schema`. The methods block; any thread may call them."""

    damaged: list[Path]
    """The damaged files that were renamed since the start."""

    def open(self) -> None:
        """Open the database, unless it is open. After trouble, test whether it can be written.

        Raises OSError, RecordsError.
        """
        ...

    def close(self) -> None:
        """Close the database. No other method may be called afterwards."""
        ...

    def check_open(self) -> None:
        """Raises NotOpen where the database is not open."""
        ...

    def transaction(self) -> AbstractContextManager[Connection]:
        """One transaction: all changes are written, or none. Raises RecordsError."""
        ...


def database_of(
    group: str, folder: Path, *, first: Callable[[Connection], None], beside: Sequence[Path] = ()
) -> Database:
    """The database of a group of tables. Arguments: as for SqliteFile."""
    return SqliteFile(group, folder, first=first, beside=beside)
