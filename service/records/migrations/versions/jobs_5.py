"""Jobs have a number that no later job gets again, and the bytes that they take."""

from __future__ import annotations

from alembic import op

revision = "jobs_5"
down_revision = "jobs_4"
branch_labels = None
depends_on = None

_STATEMENTS = (
    """CREATE TABLE numbered (
    number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL,
    product TEXT NOT NULL, state TEXT NOT NULL, created REAL NOT NULL, started REAL, finished REAL,
    attempts INTEGER NOT NULL DEFAULT 0, request TEXT NOT NULL, result TEXT, problem TEXT, key TEXT UNIQUE,
    digest TEXT, owner TEXT, ran REAL, bytes BIGINT NOT NULL DEFAULT 0)""",
    """INSERT INTO numbered SELECT rowid, id, kind, product, state, created, started, finished, attempts,
    request, result, problem, key, digest, owner, ran,
    length(request) + coalesce(length(result), 0) + (
        SELECT coalesce(sum(length(line) + 48), 0) FROM lines WHERE job = jobs.id) FROM jobs""",
    "DROP TABLE jobs",  # foreign keys are off during a migration, so that no line goes with its job
    "ALTER TABLE numbered RENAME TO jobs",
    "CREATE INDEX jobs_by_turn ON jobs (state, kind, number)",
)


def upgrade() -> None:
    """Make the table again: SQLite cannot change a primary key. PostgreSQL never had the older table."""
    for statement in _STATEMENTS:
        op.execute(statement)
