"""Jobs name the server that has their input. In a SQLite file the name is empty: one server has all."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Text, text

revision = "jobs_6"
down_revision = "jobs_5"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("jobs", Column("server", Text, nullable=False, server_default=text("''")))
