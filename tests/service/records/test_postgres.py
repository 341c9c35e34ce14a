"""Two servers on one PostgreSQL: one request has one result, and what one keeps, the other tells."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from pydantic import SecretStr

from cli import checks
from service.disk_faults import Fault, RecordsError
from service.jobs.store import JobStore
from service.records.audit import Audit, Change, ChangeFilter
from service.records.results import Filter, Result, ResultStore
from service.settings import BadSetting, Settings, read_settings
from tests.service.postgres import Postgres
from tests.waiting import until

SCORE = "/v1/products/cookie/score"


@pytest.fixture
def settings(database: str, tmp_path: Path) -> Settings:
    return Settings(banks=tmp_path, database=SecretStr(database))


@pytest.fixture
def two(
    serve: Callable[..., Any], make_loader: Any, make_detector: Any, settings: Settings, tmp_path: Path
) -> Iterator[list[Any]]:
    """Two servers with state folders of their own."""
    with ExitStack() as servers:
        yield [
            servers.enter_context(serve(settings, make_loader(make_detector()), state=tmp_path / name))
            for name in ("left", "right")
        ]


def kept(client: httpx.Client) -> list[str]:
    return [one["result_id"] for one in client.get("/v1/results").json()["results"]]


def test_one_key_sent_to_both_servers_at_once_has_one_result(two: list[Any], part: dict[str, bytes]) -> None:
    rounds = 5
    together = threading.Barrier(2)

    def ask(running: Any) -> list[tuple[int, str, str]]:
        answers = []
        with running.client() as client:
            for number in range(rounds):
                together.wait(100)
                answer = client.post(SCORE, files=part, headers={"Idempotency-Key": f"board-{number}"})
                found = (
                    answer.status_code,
                    answer.json()["result_id"],
                    answer.headers.get("Idempotency-Replayed"),
                )
                answers.append(found)
        return answers

    with ThreadPoolExecutor(2) as clients:
        left, right = clients.map(ask, two)
    assert {status for status, _, _ in [*left, *right]} == {200}
    assert [one[1] for one in left] == [one[1] for one in right]
    for pair in zip(left, right, strict=True):
        assert sorted(one[2] or "" for one in pair) == ["", "true"], "one scored, the other repeated"
    with two[0].client() as client:
        assert kept(client) == [one[1] for one in reversed(left)]


def test_a_stream_of_one_server_tells_the_results_of_the_other(
    two: list[Any], part: dict[str, bytes]
) -> None:
    left, right = two
    with (
        left.client() as watcher,
        right.client() as line,
        watcher.stream("GET", "/v1/results/events") as stream,
    ):
        lines = stream.iter_lines()
        assert next(lines) == ": results"
        scored = [line.post(SCORE, files=part).json()["result_id"] for _ in range(3)]
        told = [json.loads(text.removeprefix("data: ")) for text in _first(lines, "data: ", 3)]
    assert [one["result_id"] for one in told] == scored


def _first(lines: Iterator[str], start: str, count: int) -> list[str]:
    found: list[str] = []
    while len(found) < count:
        if (text := next(lines)).startswith(start):
            found.append(text)
    return found


def test_a_database_that_goes_away_and_comes_back_costs_no_result(
    serve: Callable[..., Any],
    loader: Any,
    settings: Settings,
    postgres: Postgres,
    bad_part: dict[str, bytes],
    tmp_path: Path,
) -> None:
    with serve(settings, loader, state=tmp_path / "state") as running, running.client() as client:
        running.app.state.shared.records.patience_s = 0.1
        asked = [client.post(SCORE, files=bad_part).json()["result_id"]]
        postgres.stop()
        try:
            for _ in range(2):
                answer = client.post(SCORE, files=bad_part)
                assert answer.status_code == 200, answer.text
                asked.append(answer.json()["result_id"])
            for path in ("/v1/results", "/v1/jobs", "/v1/audit"):
                refused = client.get(path)
                assert (refused.status_code, refused.json()["code"]) == (503, "state_unavailable"), path
                assert int(refused.headers["Retry-After"]) > 0
            notes = until(lambda: client.get("/readyz").json()["notes"], "a note")
            assert any("results are not available" in note for note in notes)
            assert "the-secret" not in json.dumps(notes) + json.dumps(running.log)
        finally:
            postgres.start()
        until(lambda: client.get("/readyz").json()["notes"] == [], "the records")
        until(lambda: sorted(kept(client)) == sorted(asked), "the results of meanwhile")
        assert {file.stem for file in (tmp_path / "state/parts").iterdir()} == set(asked)
        assert 'tribank_results_not_kept_total{product="cookie"} 0.0' in client.get("/metrics").text


def test_a_database_that_hangs_is_gone_until_it_goes_on(
    database: str, postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.records.postgres._ANSWER_S", 0.2)
    store = JobStore(tmp_path, database)
    store.open()
    with ThreadPoolExecutor(1) as asking, postgres.hanging():
        for _ in range(2):
            with pytest.raises(RecordsError) as refused:
                asking.submit(store.unfinished).result(60)
            assert refused.value.fault is Fault.GONE
    store.open()
    assert store.unfinished() == 0
    store.close()


def test_a_server_leaves_the_jobs_of_another_one_to_it(database: str, tmp_path: Path) -> None:
    left, right = (JobStore(tmp_path / name, database) for name in ("left", "right"))
    left.open()
    running, waiting = (left.add("batch", "cookie", {}, key=key, digest="d") for key in ("a", "b"))
    assert left.take("batch") == left.find(running.id)
    right.open()
    assert right.take("batch") is None
    assert right.add("batch", "cookie", {}, key="b", digest="d") == waiting
    assert [job.state for _, job in right.newest()] == ["queued", "running"]
    assert (left.unfinished(), right.unfinished()) == (2, 0)
    assert [store.unfinished_of("cookie") for store in (left, right)] == [2, 2]
    assert right.unfinished_of("tile") == 0
    heard = left.news
    right.end(waiting.id, "cancelled")
    until(lambda: left.news > heard, "what the other says")
    assert left.input(waiting.id).is_dir()
    left.prune(keep=9, older_than_s=3600, keep_bytes=1 << 20)
    assert list((tmp_path / "left" / "jobs").iterdir()) == [left.input(running.id)]
    with psycopg.connect(database, autocommit=True) as told:
        told.execute("LISTEN tribank_jobs")
        assert left.take("batch") is None
        with right._db.transaction() as db:
            right._db.tell(db)
            teller = db.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        assert next(told.notifies()).pid == teller, "who finds no job tells nobody"
    for store in (left, right):
        store.close()


def test_two_servers_prune_what_both_wrote(database: str, tmp_path: Path) -> None:
    stores = [ResultStore(tmp_path, database, keep_s=3600, keep_bytes=100_000) for _ in range(2)]
    for store in stores:
        store.open()
    for number in range(1, 129):
        result = Result(f"{number:032x}", 0.0, "cookie", None, "v1", 1.0, 2.0, "good", None, "{}")
        stores[number % 2].add(result, b"p" * 2000)
    left = [int(one.result.id, 16) for one in stores[0].newest(Filter(), limit=200)]
    assert left == list(range(128, 128 - len(left), -1))
    assert 30 <= len(left) <= 40
    for store in stores:
        store.close()


def test_two_servers_that_prune_at_once_delete_what_is_too_much_once(database: str, tmp_path: Path) -> None:
    stores = [ResultStore(tmp_path, database, keep_s=3600, keep_bytes=10**9) for _ in range(2)]
    for store in stores:
        store.open()
    for number in range(1, 301):
        result = Result(f"{number:032x}", 0.0, "cookie", None, "v1", 1.0, 2.0, "good", None, "{}")
        stores[0].add(result, b"p" * 2000)
    for store in stores:
        store._keep_bytes = 100_000  # as after a restart with another setting
    with ThreadPoolExecutor(2) as servers:
        list(servers.map(ResultStore.prune, stores))
    left = [int(one.result.id, 16) for one in stores[0].newest(Filter(), limit=300)]
    assert left == list(range(300, 300 - len(left), -1))
    assert 30 <= len(left) <= 40
    for store in stores:
        store.close()


def test_doctor_names_the_server_that_answers(settings: Settings) -> None:
    (finding,) = checks.database(settings)
    assert (finding.state, "PostgreSQL 1" in finding.message) == ("ok", True)


def test_tables_of_an_older_revision_are_brought_up_to_date(database: str, tmp_path: Path) -> None:
    store, results = JobStore(tmp_path, database), ResultStore(tmp_path, database, keep_s=9, keep_bytes=9)
    store.open()
    results.open()  # whose revision is in the same table
    job = store.add("batch", "cookie", {})
    with store._db.transaction() as db:
        db.exec_driver_sql("ALTER TABLE jobs DROP COLUMN server")
        db.exec_driver_sql("UPDATE alembic_version SET version_num = 'jobs_5' WHERE version_num = 'jobs_6'")
    store.close()
    store.open()
    assert [one.id for _, one in store.newest()] == [job.id]
    with store._db.transaction() as db:
        versions = set(db.exec_driver_sql("SELECT version_num FROM alembic_version").scalars())
    assert versions == {"jobs_6", "results_6"}
    store.close()
    results.close()


def test_what_is_no_text_for_postgresql_is_kept_and_found(database: str, tmp_path: Path) -> None:
    audit = Audit(tmp_path, database)
    audit.open()
    audit.add(Change("judge", "key a\0b", after={"note": "\0"}))
    ((_, change),) = audit.newest(ChangeFilter(who="key a\0b"))
    assert change.after == {"note": "\0"}
    audit.close()


def test_what_is_no_address_of_postgresql_is_refused_without_repeating_it(tmp_path: Path) -> None:
    with pytest.raises(BadSetting) as wrong:
        read_settings(database="mysql://me:the-secret@host/db")
    assert "the-secret" not in str(wrong.value)
    shown = read_settings(database="postgresql://me:the-secret@host/db")
    assert "the-secret" not in f"{shown!r} {shown} {shown.model_dump_json()}"
    audit = Audit(tmp_path, "postgresql://me:the-secret@host:port/db?no=such")
    with pytest.raises(RecordsError) as refused:
        audit.open()
    assert refused.value.fault is Fault.GONE
    assert "the-secret" not in str(refused.value)
