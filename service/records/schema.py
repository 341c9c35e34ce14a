"""The tables of the records: one schema, for the SQLite files of the state folder and for PostgreSQL.

A group of tables is one SQLite file, <state>/<group>.sqlite. In PostgreSQL all groups are in one database. A
change of the schema needs a new revision in `service/records/migrations/versions`, and its number here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    JSON,
    REAL,
    BigInteger,
    Column,
    ColumnElement,
    Dialect,
    ForeignKey,
    FunctionElement,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    text,
)
from sqlalchemy.dialects.postgresql import DOUBLE_PRECISION
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

METADATA = MetaData()
NEWEST: Mapping[str, int] = {"results": 6, "jobs": 6, "audit": 1}
"""The number of the newest revision of each group. A SQLite file has the number as its `user_version`."""


class _TextWithoutNul(TypeDecorator[str]):
    """PostgreSQL's text cannot hold the character NUL. A client may send one, so it is replaced."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """The text as it is kept and searched."""
        return value and value.replace("\0", "\N{REPLACEMENT CHARACTER}")


_Real = REAL().with_variant(DOUBLE_PRECISION(), "postgresql")
"""A float of 8 bytes: SQLite's REAL has 8 bytes, PostgreSQL's has 4."""
_Text = Text().with_variant(_TextWithoutNul(), "postgresql")
_Number = BigInteger().with_variant(Integer(), "sqlite")
"""A number that the database gives to each new row, higher than all numbers before."""


RESULTS = Table(
    "results",
    METADATA,
    Column("number", _Number, primary_key=True, autoincrement=True),
    Column("id", _Text, nullable=False, unique=True),
    Column("created", _Real, nullable=False),
    Column("product", _Text, nullable=False),
    Column("part_id", _Text),
    Column("bank_version", _Text, nullable=False),
    Column("score", _Real, nullable=False),
    Column("threshold", _Real, nullable=False),
    Column("decision", _Text, nullable=False),
    Column("simulates", _Text),
    Column("verdict", _Text),
    Column("verdict_time", _Real),
    Column("note", _Text),
    Column("bytes", Integer, nullable=False),
    Column("answer", _Text, nullable=False),
    Column("picture", LargeBinary, nullable=False),
    Column("ran", _Real, nullable=False, server_default=text("0")),
    Column("answered", Integer, nullable=False, server_default=text("1")),
    Column("judged_by", _Text),
    Column("labels", _Text, nullable=False, server_default=text("'{}'")),
    Column("job", _Text),
    sqlite_autoincrement=True,
)


def _index_where(condition: ColumnElement[bool], name: str, *columns: Column[Any]) -> None:
    """An index of the rows for which the condition holds."""
    Index(name, *columns, sqlite_where=condition, postgresql_where=condition)


Index("results_by_product", RESULTS.c.product, RESULTS.c.number)
_index_where(RESULTS.c.verdict.is_(None), "results_by_age", RESULTS.c.ran)
_index_where(RESULTS.c.part_id.is_not(None), "results_by_part", RESULTS.c.part_id)
_index_where(RESULTS.c.verdict.is_not(None), "results_by_verdict", RESULTS.c.verdict)
_index_where(RESULTS.c.job.is_not(None), "results_by_job", RESULTS.c.job, RESULTS.c.number)

REQUESTS = Table(
    "requests",
    METADATA,
    Column("key", _Text, primary_key=True),
    Column("digest", _Text, nullable=False),
    Column("result", _Text, ForeignKey("results.id", ondelete="CASCADE"), nullable=False),
    sqlite_with_rowid=False,
)
Index("requests_by_result", REQUESTS.c.result)

RUNNING = Table("running", METADATA, Column("seconds", _Real, nullable=False))
"""One row: the clock of `service.records.run_clock` between two starts."""

JOBS = Table(
    "jobs",
    METADATA,
    Column("number", _Number, primary_key=True, autoincrement=True),
    Column("id", _Text, nullable=False, unique=True),
    Column("kind", _Text, nullable=False),
    Column("product", _Text, nullable=False),
    Column("state", _Text, nullable=False),
    Column("created", _Real, nullable=False),
    Column("started", _Real),
    Column("finished", _Real),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("request", _Text, nullable=False),
    Column("result", _Text),
    Column("problem", _Text),
    Column("key", _Text, unique=True),
    Column("digest", _Text),
    Column("owner", _Text),
    Column("ran", _Real),
    Column("bytes", BigInteger, nullable=False, server_default=text("0")),
    Column("server", _Text, nullable=False, server_default=text("''")),
    sqlite_autoincrement=True,
)
Index("jobs_by_turn", JOBS.c.state, JOBS.c.kind, JOBS.c.number)

LINES = Table(
    "lines",
    METADATA,
    Column("job", _Text, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("line", _Text, nullable=False),
    sqlite_with_rowid=False,
)

CHANGES = Table(
    "changes",
    METADATA,
    Column("number", _Number, primary_key=True, autoincrement=True),
    Column("time", _Real, nullable=False),
    Column("action", _Text, nullable=False),
    Column("who", _Text, nullable=False),
    Column("address", _Text, nullable=False),
    Column("request_id", _Text),
    Column("product", _Text),
    Column("bank_version", _Text),
    Column("subject", _Text),
    Column("before", _Text, nullable=False),
    Column("after", _Text, nullable=False),
    sqlite_autoincrement=True,
)
Index("changes_by_product", CHANGES.c.product, CHANGES.c.number)

VERSION = Table("alembic_version", METADATA, Column("version_num", String(32), primary_key=True))
"""Alembic's own table: the newest revision of each group, such as "jobs_5"."""

GROUPS: Mapping[str, Sequence[Table]] = {
    "results": (RESULTS, REQUESTS, RUNNING),
    "jobs": (JOBS, LINES, RUNNING),
    "audit": (CHANGES,),
}
"""The tables of each group."""


class as_json(FunctionElement[Any]):
    """A text column that holds JSON, as JSON: `as_json(column)["name"]`."""

    type = JSON()
    inherit_cache = True


@compiles(as_json)
def _text_is_json(element: as_json, compiler: SQLCompiler, **given: Any) -> str:
    return compiler.process(element.clauses, **given)


@compiles(as_json, "postgresql")
def _cast_to_json(element: as_json, compiler: SQLCompiler, **given: Any) -> str:
    return f"CAST({compiler.process(element.clauses, **given)} AS JSON)"
