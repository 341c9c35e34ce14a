"""Results as the last sources before alembic kept them."""

from __future__ import annotations

from alembic import op

from service.records.migrations.taking_over import RUNNING, NewColumn, take_over

revision = "results_6"
down_revision = None
branch_labels = ("results",)
depends_on = None

_STEPS = (
    (
        """CREATE TABLE IF NOT EXISTS results (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, created REAL NOT NULL,
    product TEXT NOT NULL, part_id TEXT, bank_version TEXT NOT NULL, score REAL NOT NULL,
    threshold REAL NOT NULL, decision TEXT NOT NULL, simulates TEXT,
    verdict TEXT, verdict_time REAL, note TEXT,
    bytes INTEGER NOT NULL, answer TEXT NOT NULL, picture BLOB NOT NULL)""",
        "CREATE INDEX IF NOT EXISTS results_by_product ON results (product, number)",
        "CREATE INDEX IF NOT EXISTS results_by_part ON results (part_id) WHERE part_id IS NOT NULL",
        "CREATE INDEX IF NOT EXISTS results_by_verdict ON results (verdict) WHERE verdict IS NOT NULL",
        """CREATE TABLE IF NOT EXISTS requests (
    key TEXT PRIMARY KEY, digest TEXT NOT NULL, result TEXT NOT NULL REFERENCES results (id) ON DELETE CASCADE
    ) WITHOUT ROWID""",
        "CREATE INDEX IF NOT EXISTS requests_by_result ON requests (result)",
    ),
    (
        "ALTER TABLE results ADD COLUMN ran REAL NOT NULL DEFAULT 0",
        "ALTER TABLE results ADD COLUMN answered INTEGER NOT NULL DEFAULT 1",
        "CREATE INDEX results_by_age ON results (ran) WHERE verdict IS NULL",
    ),
    RUNNING,
    NewColumn("results", "judged_by", "TEXT"),
    NewColumn("results", "labels", "TEXT NOT NULL DEFAULT '{}'"),
    (
        "ALTER TABLE results ADD COLUMN job TEXT",
        "CREATE INDEX results_by_job ON results (job, number) WHERE job IS NOT NULL",
    ),
)


def upgrade() -> None:
    """Apply the steps that a SQLite file lacks."""
    take_over(op.get_bind(), _STEPS)
