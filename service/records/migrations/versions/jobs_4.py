"""Jobs as the last sources before alembic kept them."""

from __future__ import annotations

from alembic import op

from service.records.migrations.taking_over import RUNNING, NewColumn, take_over

revision = "jobs_4"
down_revision = None
branch_labels = ("jobs",)
depends_on = None

_STEPS = (
    (
        """CREATE TABLE IF NOT EXISTS jobs (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, product TEXT NOT NULL, state TEXT NOT NULL,
    created REAL NOT NULL, started REAL, finished REAL, attempts INTEGER NOT NULL DEFAULT 0,
    request TEXT NOT NULL, result TEXT, problem TEXT, key TEXT UNIQUE, digest TEXT, owner TEXT)""",
        "CREATE INDEX IF NOT EXISTS jobs_by_turn ON jobs (state, kind, created)",
        """CREATE TABLE IF NOT EXISTS lines (
    job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE, number INTEGER NOT NULL, line TEXT NOT NULL,
    PRIMARY KEY (job, number)) WITHOUT ROWID""",
    ),
    NewColumn("jobs", "owner", "TEXT"),  # the oldest files lack this column
    (
        "ALTER TABLE jobs ADD COLUMN ran REAL",
        "UPDATE jobs SET ran = 0 WHERE finished IS NOT NULL",
    ),
    RUNNING,
)


def upgrade() -> None:
    """Apply the steps that a SQLite file lacks."""
    take_over(op.get_bind(), _STEPS)
