"""Records of older sources are brought up to date by alembic. A group of tables is a branch of revisions."""

from __future__ import annotations

from pathlib import Path

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

_FOLDER = Path(__file__).parent


def upgrade(connection: Connection, group: str) -> None:
    """Apply the revisions that the tables of a group lack, in the transaction of the connection.

    Raises sqlalchemy.exc.DBAPIError.
    """
    script = ScriptDirectory(str(_FOLDER), version_locations=[str(_FOLDER / "versions")])

    def missing(revisions: object, _: MigrationContext) -> object:
        return script._upgrade_revs(f"{group}@head", revisions)  # type: ignore[arg-type] - as alembic's docs

    with EnvironmentContext(Config(), script, fn=missing) as environment:
        environment.configure(connection=connection)
        environment.run_migrations()
