"""Records of SQLite files are copied into a database of PostgreSQL, once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from sqlalchemy import Connection, RowMapping, Table, func, insert, select

from service.disk_faults import RecordsError
from service.records.postgres import PostgresDatabase
from service.records.schema import GROUPS, JOBS, RUNNING
from service.records.server_name import server_name
from service.records.sqlite_file import SqliteFile

_ROWS = 200
"""Rows that are held in memory at a time."""


def copy_records(folder: Path, uri: str) -> dict[str, int]:
    """Copy the rows of a state folder's SQLite files into a database whose tables are empty or missing.

    The files stay as they are. Each group of tables is copied as a whole or not at all. No server may use the
    folder meanwhile.

    Returns the number of rows by table. Raises RecordsError, also for a damaged file, and OSError.
    """
    counts: dict[str, int] = {}
    for group, tables in GROUPS.items():
        if not (folder / f"{group}.sqlite").exists():
            continue
        file = SqliteFile(group, folder, first=_nothing, replace_damaged=False)
        database = PostgresDatabase(group, uri, first=_nothing)
        try:
            file.open()
            database.open()
            with file.transaction() as old, database.transaction() as new:
                database.in_turn(new)
                for table in tables:
                    counts[table.name] = _copy(old, new, table, folder)
        except RecordsError as error:
            reason = str(error).rstrip(".")
            raise RecordsError(f"{folder / group}.sqlite was not copied: {reason}.", error.fault) from None
        finally:
            database.close()
            file.close()
    return counts


def _copy(old: Connection, new: Connection, table: Table, folder: Path) -> int:
    if table is RUNNING:
        _copy_clock(old, new)
        return 1
    if new.execute(select(table).limit(1)).first() is not None:
        raise RecordsError(f"The database has {table.name} already. Copy into a new database.")
    changed = {"server": server_name(folder)} if table is JOBS else {}
    count = 0
    for rows in _pieces(old, table):
        new.execute(insert(table), [dict(row) | changed for row in rows])
        count += len(rows)
    if "number" in table.c and table.c.number.autoincrement:
        last = select(func.coalesce(func.max(table.c.number), 1)).scalar_subquery()
        new.execute(select(func.setval(func.pg_get_serial_sequence(table.name, "number"), last)))
    return count


def _pieces(old: Connection, table: Table) -> Iterator[Sequence[RowMapping]]:
    rows = old.execute(select(table), execution_options={"yield_per": _ROWS})
    yield from (list(piece) for piece in rows.mappings().partitions())


def _copy_clock(old: Connection, new: Connection) -> None:
    """The later clock stays."""
    seconds = [db.execute(select(func.max(RUNNING.c.seconds))).scalar_one() or 0.0 for db in (old, new)]
    new.execute(RUNNING.delete())
    new.execute(insert(RUNNING).values(seconds=max(seconds)))


def _nothing(_: Connection) -> None:
    """Rows are only read."""
