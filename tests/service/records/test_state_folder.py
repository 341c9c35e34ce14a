"""A damaged, full or missing state folder costs the record, never a part."""

from __future__ import annotations

import io
import json
import os
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.disk_faults import RecordsError
from service.jobs.store import JobStore
from service.records.results import Filter, Result, ResultStore
from service.records.state_folder import StateFolder, StateInUse
from service.watch.logs import make_logger
from tests.faults import small_disk
from tests.faults.bench import served_by
from tests.faults.warm import Warm
from tests.service import stand_in
from tests.service.sqlite import connection_of
from tests.waiting import until

SCORE = "/v1/products/cookie/score"


def _notes(client: httpx.Client) -> list[str]:
    answer = client.get("/readyz")
    assert answer.status_code == 200, answer.text
    return answer.json()["notes"]


def _figures(client: httpx.Client, name: str) -> dict[str, float]:
    lines = client.get("/metrics").text.splitlines()
    found = (
        line.removeprefix(f"tribank_{name}").split() for line in lines if line.startswith(f"tribank_{name}{{")
    )
    return {label.split('"')[1]: float(value) for label, value in found}


FILES = {"results", "jobs", "audit"}


def _scores(client: httpx.Client, part: dict[str, bytes]) -> str:
    answers = [
        client.post(SCORE, files=part, headers=key) for key in ({}, {"Idempotency-Key": os.urandom(4).hex()})
    ]
    assert [answer.status_code for answer in answers] == [200, 200], answers[-1].text
    return answers[-1].json()["result_id"]


@pytest.mark.parametrize("at", [0, 4096])
def test_damaged_files_are_put_aside_at_the_start(
    at: int,
    serve: Callable[..., Any],
    loader: Any,
    strict_settings: Any,
    bad_part: dict[str, bytes],
    tmp_path: Path,
) -> None:
    with serve(strict_settings, loader, state=tmp_path) as running, running.client() as client:
        old = _scores(client, bad_part)
    for name in FILES:
        with (tmp_path / f"{name}.sqlite").open("r+b") as file:
            file.seek(at)
            file.write(b"x" * 60_000)
    with serve(strict_settings, loader, state=tmp_path) as running, running.client() as client:
        new = _scores(client, bad_part)
        assert new in [one["result_id"] for one in client.get("/v1/results").json()["results"]]
        assert client.get(f"/v1/results/{old}").status_code == 404
        assert client.get("/v1/jobs").json()["jobs"] == []
        assert len(_notes(client)) == len(FILES)
        assert _figures(client, "state_damaged_files") == dict.fromkeys(FILES, 1)
        assert _figures(client, "state_available") == dict.fromkeys(FILES, 1)
        assert {line["kept"] for line in running.log if line["event"] == "state_damaged"} == FILES
    aside = [file.name for file in tmp_path.iterdir() if ".damaged-" in file.name]
    assert {name.split(".damaged-")[0] for name in aside} >= {"parts", *(f"{name}.sqlite" for name in FILES)}
    (parts,) = (tmp_path / name for name in aside if name.startswith("parts"))
    assert (parts / f"{old}.npz").exists()


def test_damage_that_shows_later_begins_a_new_file(tmp_path: Path) -> None:
    store = ResultStore(tmp_path, keep_s=3600, keep_bytes=10**9)
    store.open()

    def add(number: int) -> None:
        result = Result(f"{number:032x}", 0.0, "cookie", None, "v1", 1.0, 2.0, "good", None, "{}")
        store.add(result, b"p" * 50_000)

    for number in range(100):  # more than SQLite keeps in memory
        add(number)
    with sqlite3.connect(tmp_path / "results.sqlite") as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    with (tmp_path / "results.sqlite").open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(4_000_000))
    with pytest.raises(RecordsError):
        list(store.all(Filter()))
    assert [aside.exists() for aside in store.damaged] == [True]
    add(7)
    assert [kept.result.id for kept in store.newest(Filter())] == [f"{7:032x}"]
    store.close()


def test_a_folder_that_cannot_be_had_is_tried_again(
    serve: Callable[..., Any], loader: Any, strict_settings: Any, part: dict[str, bytes], tmp_path: Path
) -> None:
    state = tmp_path / "state"
    state.write_bytes(b"in the way")
    with serve(strict_settings, loader, state=state) as running, running.client() as client:
        _scores(client, part)
        assert len(_notes(client)) == len(FILES)
        assert _figures(client, "state_available") == dict.fromkeys(FILES, 0)
        for path in ("/v1/results", "/v1/jobs", "/v1/audit", f"/v1/results/{'0' * 32}"):
            answer = client.get(path)
            assert (answer.status_code, answer.json()["code"]) == (503, "state_unavailable"), path
        lost = _figures(client, "results_not_kept_total")
        assert lost == {"cookie": 2}
        assert "state_unavailable" in {line["event"] for line in running.log}
        state.unlink()
        until(lambda: _notes(client) == [], "the folder")
        kept = _scores(client, part)
        assert client.get(f"/v1/results/{kept}").status_code == 200
        assert client.get("/v1/jobs").json()["jobs"] == []
        assert "state_available" in {line["event"] for line in running.log}


@pytest.mark.skipif(not small_disk.available(), reason="no mount namespace can be had here")
def test_a_service_starts_on_a_full_disk_and_keeps_records_once_there_is_room(
    part: dict[str, bytes], tmp_path: Path, warm: Warm
) -> None:
    """A real small disk that only the service sees."""
    state, banks = tmp_path / "state", tmp_path / "banks"
    for folder in (state, banks):
        folder.mkdir()
    serve = ["serve", "--banks", str(banks), "--state", str(state), "--port", "0"]
    hook = f"{stand_in.__name__}:{stand_in.scores_on_a_small_disk.__name__}"
    server = warm.start(serve, tmp_path / "said", small_disk.environment(state, 2 << 20), hook)
    try:
        with served_by(server).client() as client:
            _scores(client, part)
            assert _figures(client, "state_available") == dict.fromkeys(FILES, 0)
            for path in ("/v1/results", "/v1/jobs", "/v1/audit"):
                answer = client.get(path)
                assert (answer.status_code, answer.json()["code"]) == (507, "disk_full"), path
            Path(f"/proc/{server.pid}/root{state}/fill").unlink()
            until(lambda: _notes(client) == [], "the folder")
            kept = _scores(client, part)
            assert client.get(f"/v1/results/{kept}").status_code == 200
        server.signal(signal.SIGTERM)
        assert server.wait(100) == 0
    finally:
        server.kill()


def test_a_disk_that_gets_full_later_is_told_until_there_is_room(tmp_path: Path) -> None:
    store, log = JobStore(tmp_path), io.StringIO()
    folder = StateFolder(tmp_path, {"jobs": store}, make_logger(log))
    folder.open()
    job = store.add("batch", "cookie", {})
    with store._db.transaction() as db:
        (pages,) = db.exec_driver_sql("PRAGMA page_count").one()
        db.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(RecordsError, match="full"):
        store.add_line(job.id, "x" * 100_000)
    folder.open()
    assert folder.reasons["jobs"] == "", "a small write succeeds"
    connection_of(store).execute("PRAGMA query_only = 1")
    with pytest.raises(RecordsError):
        store.add_line(job.id, "short")
    folder.open()
    assert "read" in folder.reasons["jobs"]
    connection_of(store).execute("PRAGMA query_only = 0")
    folder.open()
    assert folder.reasons["jobs"] == ""
    store.close()
    folder.close()
    events = [json.loads(line)["event"] for line in log.getvalue().splitlines()]
    assert events == ["state_available", "state_unavailable", "state_available"]


def test_one_service_a_folder(tmp_path: Path) -> None:
    log = io.StringIO()
    first, second = (StateFolder(tmp_path / "state", {}, make_logger(log)) for _ in range(2))
    first.open()
    with pytest.raises(StateInUse, match="state"):
        second.open()
    first.close()
    second.open()
    second.close()


def test_a_file_of_a_newer_version_is_left_as_it_is(tmp_path: Path) -> None:
    store = ResultStore(tmp_path, keep_s=3600, keep_bytes=10**9)
    store.open()
    store.close()
    with sqlite3.connect(tmp_path / "results.sqlite") as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    log = io.StringIO()
    folder = StateFolder(tmp_path, {"results": store}, make_logger(log))
    folder.open()
    assert "newer" in folder.reasons["results"]
    assert json.loads(log.getvalue().splitlines()[0])["event"] == "state_unavailable"
    assert [file.name for file in tmp_path.iterdir() if "damaged" in file.name] == []
    folder.close()
