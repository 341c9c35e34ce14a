"""Changes as the last sources before alembic kept them."""

from __future__ import annotations

from alembic import op

from service.records.migrations.taking_over import take_over

revision = "audit_1"
down_revision = None
branch_labels = ("audit",)
depends_on = None

_STEPS = (
    (
        """CREATE TABLE IF NOT EXISTS changes (
    number INTEGER PRIMARY KEY AUTOINCREMENT, time REAL NOT NULL, action TEXT NOT NULL, who TEXT NOT NULL,
    address TEXT NOT NULL, request_id TEXT, product TEXT, bank_version TEXT, subject TEXT,
    before TEXT NOT NULL, after TEXT NOT NULL)""",
        "CREATE INDEX IF NOT EXISTS changes_by_product ON changes (product, number)",
    ),
)


def upgrade() -> None:
    """Apply the step that a SQLite file lacks."""
    take_over(op.get_bind(), _STEPS)
