"""A file of earlier sources that was brought up to date has the schema of a new file."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from service.records.schema import GROUPS, NEWEST
from service.records.sqlite_file import SqliteFile
from tests.service.records.test_database import OLD, put_back


def schema_of(file: Path) -> dict[str, Any]:
    """The columns, keys and indices of every table, whatever words made them."""
    with closing(sqlite3.connect(file)) as db:
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        tables = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            table: (
                {  # a column of a primary key never is null
                    (name, kind, bool(required or key), default, key)
                    for _, name, kind, required, default, key in db.execute(f"PRAGMA table_info({table})")
                },
                {row[2:] for row in db.execute(f"PRAGMA foreign_key_list({table})")},
                {
                    (unique, partial, *(column[2] for column in db.execute(f"PRAGMA index_info({index})")))
                    for _, index, unique, _, partial in db.execute(f"PRAGMA index_list({table})")
                },
            )
            for table in tables
        }


@pytest.mark.parametrize("group", GROUPS)
def test_old_and_new_files_have_one_schema(group: str, tmp_path: Path) -> None:
    put_back(tmp_path, min(OLD.glob(f"{group}-*.sql")))
    (tmp_path / "new").mkdir()
    files = []
    for folder in (tmp_path, tmp_path / "new"):
        file = SqliteFile(group, folder, first=lambda _: None)
        file.open()
        file.close()
        files.append(folder / f"{group}.sqlite")
        with closing(sqlite3.connect(files[-1])) as db:
            revisions = db.execute("SELECT * FROM alembic_version").fetchall()
        assert revisions == [(f"{group}_{NEWEST[group]}",)]
    old, new = (schema_of(file) for file in files)
    assert old == new
