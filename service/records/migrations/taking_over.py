"""SQLite files from before alembic: the number of their last step is in `PRAGMA user_version`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class NewColumn:
    """A step that adds a column, unless the table has the column."""

    table: str
    name: str
    kind: str


Step = Sequence[str] | NewColumn
"""Statements of SQL, or a new column."""

RUNNING = ("CREATE TABLE running (seconds REAL NOT NULL)", "INSERT INTO running VALUES (0)")
"""The step that adds the clock of `service.records.run_clock`."""


def take_over(connection: Connection, steps: Sequence[Step]) -> None:
    """Apply the steps that a file lacks."""
    done = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
    for step in steps[done:]:
        for statement in _statements(connection, step):
            connection.exec_driver_sql(statement)


def _statements(connection: Connection, step: Step) -> Sequence[str]:
    if not isinstance(step, NewColumn):
        return step
    names = {row[1] for row in connection.exec_driver_sql(f"PRAGMA table_info({step.table})")}
    return () if step.name in names else (f"ALTER TABLE {step.table} ADD COLUMN {step.name} {step.kind}",)
