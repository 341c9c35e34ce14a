"""Every file that earlier sources wrote is opened, with the same rows; a newer file is refused."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from service.disk_faults import RecordsError
from service.jobs.store import JobStore
from service.records.audit import Audit, ChangeFilter
from service.records.results import Filter, ResultStore

OLD = Path(__file__).parents[2] / "data" / "state"
FILES = sorted(OLD.glob("*.sql"))


def put_back(folder: Path, file: Path) -> Path:
    """Make the SQLite file of a dump."""
    target = folder / f"{file.name.partition('-')[0]}.sqlite"
    with closing(sqlite3.connect(target)) as db:
        db.executescript(file.read_text())
    return target


def version(file: Path) -> int:
    with closing(sqlite3.connect(file)) as db:
        return db.execute("PRAGMA user_version").fetchone()[0]


def rows(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as db:
        return list(db.iterdump())


def check_results(folder: Path, file_version: int, uri: str | None = None) -> None:
    store = ResultStore(folder, uri, keep_s=3600, keep_bytes=10_000_000)
    store.open()
    third, first = store.newest(Filter())
    (second,) = store.newest(Filter(simulated=True))
    assert [one.number for one in (first, second, third)] == [1, 2, 3]
    assert [one.result.score for one in (first, second, third)] == [1.0, 2.0, 3.0]
    assert (third.result.part_id, third.result.decision, third.result.created) == (
        "part-3",
        "defective",
        1781900003.0,
    )
    assert (third.verdict, third.note, third.answered) == ("good", "a reflection", True)
    assert third.judged_by == ("key anna" if file_version >= 4 else None)
    assert json.loads(third.result.labels) == ({"lot": "A-113"} if file_version >= 5 else {})
    assert second.result.simulates == first.result.id
    assert store.picture(third.result.id) == b"\xff\xd8picture"
    assert [one.number for one in store.newest(Filter(plane_found=False))] == [3]
    store.close()


def check_jobs(folder: Path, file_version: int) -> None:
    store = JobStore(folder)
    store.open()
    (_, build), (_, batch) = store.newest()
    assert (batch.state, batch.result, batch.request) == ("done", {"lines": 2}, {"threshold": 2.5})
    assert (build.state, build.problem) == ("failed", {"code": "build_refused"})
    assert {batch.owner, build.owner} == ({"line"} if file_version >= 2 else {None})
    assert store.lines(batch.id) == ['{"part_id": "1"}', '{"part_id": "2"}']
    assert store.add("batch", "cookie", {"threshold": 2.5}, key="monday-1", digest="d") == batch
    store.close()


def check_audit(folder: Path, _: int) -> None:
    audit = Audit(folder)
    audit.open()
    ((number, change),) = audit.newest(ChangeFilter())
    assert (number, change.who, change.before, change.after) == (
        1,
        "key anna",
        {"active": "v1"},
        {"active": "v2"},
    )
    audit.close()


CHECKS: dict[str, Callable[[Path, int], None]] = {
    "results": check_results,
    "jobs": check_jobs,
    "audit": check_audit,
}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_an_older_file_keeps_its_rows(file: Path, tmp_path: Path) -> None:
    name, old = file.stem.split("-")
    made = put_back(tmp_path, file)
    assert version(made) == int(old)
    CHECKS[name](tmp_path, int(old))
    upgraded = version(made)
    assert upgraded >= int(old)
    CHECKS[name](tmp_path, int(old))
    assert version(made) == upgraded


@pytest.mark.parametrize("name", CHECKS)
def test_a_newer_file_is_refused_and_stays_as_it_is(name: str, tmp_path: Path) -> None:
    newest = max(OLD.glob(f"{name}-*.sql"))
    made = put_back(tmp_path, newest)
    with closing(sqlite3.connect(made)) as db:
        db.execute("PRAGMA user_version = 99")
    before = rows(made)
    with pytest.raises(RecordsError, match=f"{name}.sqlite .* version 99"):
        CHECKS[name](tmp_path, 99)
    assert (version(made), rows(made)) == (99, before)
    assert [path.name for path in tmp_path.glob("*.damaged-*")] == []
