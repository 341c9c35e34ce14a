"""The files of a state folder are copied into a database, and the server goes on with the same rows."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from service.disk_faults import RecordsError
from service.jobs.store import JobStore
from service.records.copying import copy_records
from service.records.results import Filter, Result, ResultStore
from tests.service.records.test_database import CHECKS, OLD, check_results, put_back


def test_old_files_are_copied_and_what_follows_has_the_next_number(database: str, tmp_path: Path) -> None:
    for group in CHECKS:
        put_back(tmp_path, min(OLD.glob(f"{group}-*.sql")))
    jobs = JobStore(tmp_path)
    jobs.open()
    waiting = jobs.add("batch", "cookie", {})
    jobs.close()
    environment = {"TRIBANK_DATABASE": database}
    told = CliRunner().invoke(app, ["copy-records", "--state", str(tmp_path)], env=environment)
    assert told.exit_code == 0, told.output
    assert "3 results" in told.output
    assert "3 jobs" in told.output
    check_results(tmp_path, 0, database)
    results, jobs = ResultStore(tmp_path, database, keep_s=9, keep_bytes=10**9), JobStore(tmp_path, database)
    for store in (results, jobs):
        store.open()
    results.add(Result("f" * 32, 0.0, "cookie", None, "v1", 1.0, 2.0, "good", None, "{}"), b"")
    assert results.newest(Filter())[0].number == 4
    taken = jobs.take("batch")
    assert taken is not None
    assert taken.id == waiting.id
    for store in (results, jobs):
        store.close()
    with pytest.raises(RecordsError, match="has results already"):
        copy_records(tmp_path, database)


@pytest.mark.parametrize("first_byte", [0, 4096])
def test_a_damaged_file_is_refused_and_stays_where_it_is(
    database: str, tmp_path: Path, first_byte: int
) -> None:
    """The damage shows when the file is opened, or when its rows are read. Its header (100 bytes) counts."""
    results = ResultStore(tmp_path, keep_s=9, keep_bytes=10**9)
    results.open()
    for number in range(99):
        results.add(Result(f"{number:032x}", 0, "cookie", None, "v1", 1, 2, "good", None, "{}"), b"p" * 9000)
    results.close()
    with (tmp_path / "results.sqlite").open("r+b") as file:
        file.seek(first_byte)
        file.write(b"\xa5" * 400_000)
    damaged = (tmp_path / "results.sqlite").read_bytes()
    environment = {"TRIBANK_DATABASE": database}
    told = CliRunner().invoke(app, ["copy-records", "--state", str(tmp_path)], env=environment)
    assert told.exit_code == 1
    assert isinstance(told.exception, RecordsError)
    assert "results.sqlite" in str(told.exception)
    assert (tmp_path / "results.sqlite").read_bytes()[100:] == damaged[100:]
    assert list(tmp_path.glob("*.damaged-*")) == []
