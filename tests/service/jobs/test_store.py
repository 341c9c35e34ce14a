from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from service.disk_faults import RecordsError, is_full
from service.jobs.store import MAX_ATTEMPTS, JobStore
from service.refusals import KeyReused


@pytest.fixture
def store(tmp_path: Path, uri: str | None) -> Iterator[JobStore]:
    store = JobStore(tmp_path / "state", uri)
    store.open()
    yield store
    store.close()


@pytest.fixture
def in_file(tmp_path: Path) -> Iterator[JobStore]:
    store = JobStore(tmp_path / "state")
    store.open()
    yield store
    store.close()


def reopened(store: JobStore) -> None:
    store.close()
    store.open()


def test_jobs_are_taken_oldest_first_kind_by_kind(store: JobStore) -> None:
    first = store.add("batch", "cookie", {"a": 1})
    store.add("build", "cookie", {})
    second = store.add("batch", "bagel", {})
    assert [store.take("batch"), store.take("batch"), store.take("batch")] == [
        store.find(first.id),
        store.find(second.id),
        None,
    ]
    assert [job.id for _, job in store.newest("bagel")] == [second.id]
    assert [job.kind for _, job in store.newest()] == ["batch", "build", "batch"]
    (_, newest), (number, _) = store.newest(limit=2)
    assert (newest.id, [job.id for _, job in store.newest(before=number)]) == (second.id, [first.id])
    assert [job.product for _, job in store.newest(products=["bagel"])] == ["bagel"]
    assert store.unfinished() == 3


def test_an_ended_job_stays_as_it_is_and_its_input_goes(store: JobStore) -> None:
    with store.receiving() as folder:
        (folder / "input.zip").write_bytes(b"x")
        job = store.add("batch", "cookie", {}, folder=folder)
    assert (store.input(job.id) / "input.zip").read_bytes() == b"x"
    assert not store.remove(job.id)
    store.end(job.id, "done", result={"version": "v2"})
    store.end(job.id, "failed", problem={"code": "late"})
    found = store.find(job.id)
    assert found is not None
    assert (found.state, found.result, found.problem, found.ended) == ("done", {"version": "v2"}, None, True)
    assert not store.input(job.id).exists()
    assert store.remove(job.id)
    assert store.find(job.id) is None


def test_lines_come_in_order_and_go_with_their_job(store: JobStore, tmp_path: Path) -> None:
    job = store.add("batch", "cookie", {})
    for number in range(5):
        store.add_line(job.id, f"line {number}")
    assert store.lines(job.id, after=1, limit=3) == ["line 1", "line 2", "line 3"]
    assert store.count_lines(job.id) == 5
    store.end(job.id, "done")
    store.remove(job.id)
    assert store.lines(job.id) == []


def test_a_key_is_one_job(store: JobStore) -> None:
    first = store.add("batch", "cookie", {}, key="k", digest="1")
    assert store.add("batch", "cookie", {}, key="k", digest="1") == first
    with pytest.raises(KeyReused):
        store.add("batch", "cookie", {}, key="k", digest="2")
    assert store.unfinished() == 1


def test_a_stopped_service_takes_its_jobs_up_again(store: JobStore) -> None:
    job = store.add("batch", "cookie", {})
    assert store.take("batch")
    store.add_line(job.id, "kept")
    (store.input("0" * 32)).mkdir()
    reopened(store)
    again = store.take("batch")
    assert again is not None
    assert (again.id, again.attempts, store.count_lines(job.id)) == (job.id, 2, 1)
    assert not store.input("0" * 32).exists()


def test_a_job_that_stops_the_service_again_and_again_fails(store: JobStore) -> None:
    job = store.add("batch", "cookie", {})
    for _ in range(MAX_ATTEMPTS):
        assert store.take("batch")
        reopened(store)
    found = store.find(job.id)
    assert found is not None
    assert found.state == "failed"
    assert found.problem is not None
    assert found.problem["code"] == "interrupted"


def test_what_is_put_back_was_not_tried(store: JobStore) -> None:
    job = store.add("batch", "cookie", {})
    for _ in range(MAX_ATTEMPTS + 1):
        assert store.take("batch")
        store.put_back(job.id)
        reopened(store)
    found = store.find(job.id)
    assert found is not None
    assert found.state == "queued"


def test_what_is_put_back_as_a_try_fails_at_last(store: JobStore) -> None:
    job = store.add("batch", "cookie", {})
    for _ in range(MAX_ATTEMPTS):
        assert store.take("batch")
        store.put_back(job.id, counted=True)
        reopened(store)
    found = store.find(job.id)
    assert found is not None
    assert found.state == "failed"


def test_jobs_that_are_passed_over_keep_their_turn(store: JobStore) -> None:
    first, second = (store.add("batch", "cookie", {}) for _ in range(2))
    taken = [store.take("batch", [first.id]), store.take("batch", [first.id]), store.take("batch")]
    assert [job and job.id for job in taken] == [second.id, None, first.id]


def test_products_take_turns(store: JobStore) -> None:
    """Whoever starts next is whose last start is longest ago, and among equals who asked first."""
    for product in ("cookie", "cookie", "cookie", "bagel", "bagel", "tile"):
        store.add("build", product, {})
    store.add("batch", "tile", {})
    taken = [store.take("batch"), *(store.take("build") for _ in range(6))]
    assert [job and job.product for job in taken] == [
        "tile",
        *("cookie", "bagel", "tile"),
        *("cookie", "bagel", "cookie"),
    ]


def test_workers_that_ask_at_once_take_different_jobs(store: JobStore) -> None:
    added = [store.add("build", f"product-{number}", {}).id for number in range(40)]
    together = Barrier(4)

    def take(_: int) -> list[str]:
        together.wait(30)
        return [job.id for job in iter(lambda: store.take("build"), None)]

    with ThreadPoolExecutor(4) as workers:
        taken = [name for names in workers.map(take, range(4)) for name in names]
    assert sorted(taken) == sorted(added)


def test_pruning_keeps_the_newest_and_what_has_not_ended(store: JobStore) -> None:
    jobs = [store.add("batch", "cookie", {}) for _ in range(4)]
    for job in jobs[:3]:
        store.end(job.id, "done")
    store.prune(keep=1, older_than_s=3600, keep_bytes=10**9)
    assert [job.id for _, job in store.newest()] == [jobs[3].id, jobs[2].id]
    store.prune(keep=9, older_than_s=-1, keep_bytes=10**9)
    assert [job.id for _, job in store.newest()] == [jobs[3].id]


@pytest.mark.parametrize("leap", [40 * 86_400.0, -40 * 86_400.0])
def test_a_clock_that_leaps_neither_forgets_jobs_nor_their_order(
    tmp_path: Path, leap: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran, now = [0.0], time.time()
    store = JobStore(tmp_path / "state", ticks=lambda: ran[0])
    store.open()
    first, second = (store.add("batch", "cookie", {}) for _ in range(2))
    store.end(first.id, "done")
    monkeypatch.setattr(time, "time", lambda: now + leap)
    third = store.add("batch", "cookie", {})
    store.prune(keep=9, older_than_s=3600, keep_bytes=10**9)
    assert [job.id for _, job in store.newest()] == [third.id, second.id, first.id]
    taken = [store.take("batch") for _ in range(2)]
    assert [job.id for job in taken if job] == [second.id, third.id]
    store.end(second.id, "done")
    ran[0] += 3601
    store.end(third.id, "done")
    store.prune(keep=9, older_than_s=3600, keep_bytes=10**9)
    assert [job.id for _, job in store.newest()] == [third.id]
    store.close()


def test_pruning_bounds_the_bytes_of_result_lines(store: JobStore) -> None:
    jobs = [store.add("batch", "cookie", {}) for _ in range(4)]
    for job in jobs:
        for _ in range(10):
            store.add_line(job.id, "x" * 30_000)
    for job in jobs[:3]:
        store.end(job.id, "done")
    store.prune(keep=9, older_than_s=3600, keep_bytes=900_000)
    assert [job.id for _, job in store.newest()] == [jobs[3].id, jobs[2].id]
    assert (store.count_lines(jobs[0].id), store.count_lines(jobs[2].id)) == (0, 10)
    store.prune(keep=9, older_than_s=3600, keep_bytes=1)
    assert [job.id for _, job in store.newest()] == [jobs[3].id]


def test_a_full_disk_is_told_and_what_follows_is_written(in_file: JobStore) -> None:
    job = in_file.add("batch", "cookie", {})
    with in_file._db.transaction() as db:
        (pages,) = db.exec_driver_sql("PRAGMA page_count").one()
        db.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(RecordsError) as full:
        in_file.add_line(job.id, "x" * 100_000)
    assert is_full(full.value)
    in_file.add_line(job.id, "short")
    assert in_file.lines(job.id) == ["short"]


def test_a_job_that_does_not_fit_on_the_disk_leaves_no_input(in_file: JobStore, tmp_path: Path) -> None:
    job = in_file.add("batch", "cookie", {})
    with in_file._db.transaction() as db:
        (pages,) = db.exec_driver_sql("PRAGMA page_count").one()
        db.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    for _ in range(2):
        with in_file.receiving() as folder, pytest.raises(RecordsError) as full:
            in_file.add("batch", "cookie", {"a": "x" * 100_000}, folder=folder)
        assert is_full(full.value)
    assert list((tmp_path / "state" / "jobs").iterdir()) == [in_file.input(job.id)]


def test_what_cannot_be_committed_leaves_no_transaction_open(in_file: JobStore) -> None:
    job = in_file.add("batch", "cookie", {})

    def write() -> None:
        with in_file._db.transaction() as db:
            db.exec_driver_sql("PRAGMA defer_foreign_keys = 1")
            db.exec_driver_sql("INSERT INTO lines VALUES ('no job', 1, '')")

    with pytest.raises(RecordsError, match="FOREIGN KEY"):
        write()
    in_file.add_line(job.id, "after it")
    assert in_file.lines(job.id) == ["after it"]


def test_received_input_that_no_job_took_goes(store: JobStore, tmp_path: Path) -> None:
    with store.receiving() as folder:
        (folder / "x").write_bytes(b"x")
    assert not folder.exists()


def test_the_file_is_plain_sqlite(in_file: JobStore, tmp_path: Path) -> None:
    in_file.add("batch", "cookie", {})
    with sqlite3.connect(tmp_path / "state" / "jobs.sqlite") as db:
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert db.execute("SELECT count(*) FROM jobs").fetchone() == (1,)
    db.close()
