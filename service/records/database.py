"""Where records are kept: what a store asks of a SQLite file, and of a database of PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection

from service.records.sqlite_file import SqliteFile
from service.settings import BadSetting


class Database(Protocol):
    """One group of the tables in `service.records.schema`. The methods block; any thread may call them."""

    @property
    def shared(self) -> bool:
        """Whether other servers may use the same tables."""
        ...

    @property
    def damaged(self) -> Sequence[Path]:
        """The damaged files that were renamed since the start."""
        ...

    @property
    def heard(self) -> int:
        """Grows each time that a server says that rows of the group changed; stays 0 where none is shared."""
        ...

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

    def in_turn(self, db: Connection) -> None:
        """Wait until nobody else adds, takes or deletes rows of the group.

        So rows get their numbers in the order in which they can be read. The turn ends with the transaction.
        """
        ...

    def tell(self, db: Connection) -> None:
        """Tell all servers, once the transaction is committed, that rows of the group changed."""
        ...


def database_of(
    group: str,
    folder: Path,
    uri: str | None,
    *,
    first: Callable[[Connection], None],
    beside: Sequence[Path] = (),
) -> Database:
    """The database of a group of tables.

    folder: the state folder.
    uri: of a database of PostgreSQL; None keeps the tables in a SQLite file of the state folder.
    first, beside: as for SqliteFile.

    Raises BadSetting where the driver of PostgreSQL is not installed.
    """
    if uri is None:
        return SqliteFile(group, folder, first=first, beside=beside)
    try:
        from service.records.postgres import PostgresDatabase
    except ImportError:
        need = 'TRIBANK_DATABASE needs the extra postgresql. Install it: pip install "tribank[postgresql]".'
        raise BadSetting(need) from None
    return PostgresDatabase(group, uri, first=first)
