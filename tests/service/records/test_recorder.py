"""The record beside the line: slow or locked, it holds up no part and no answer, and none of it is lost."""

from __future__ import annotations

import socket
import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.records.results import Result
from service.records.writer import QueueFull, RecordWriter
from service.settings import Settings
from tests.waiting import until


def _score(client: httpx.Client, product: str, part: dict[str, bytes], **headers: str) -> str:
    answer = client.post(f"/v1/products/{product}/score", files=part, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()["result_id"]


def test_a_locked_record_holds_up_no_part_and_loses_none(
    serve: Callable[..., Any],
    make_loader: Any,
    make_detector: Any,
    bad_part: dict[str, bytes],
    tmp_path: Path,
) -> None:
    loader = make_loader(make_detector("cookie"), make_detector("cookie", "v2"), make_detector("bagel"))
    loader.shadows["cookie"] = "v2"
    with serve(Settings(banks=tmp_path), loader, state=tmp_path) as running, running.client() as client:
        running.app.state.shared.records.patience_s = 0.1
        until(lambda: "shadow_version" in client.get("/v1/products").json()["products"][1], "the shadow")
        other = sqlite3.connect(tmp_path / "results.sqlite")
        other.execute("BEGIN IMMEDIATE")
        asked = [_score(client, product, bad_part) for product in ("cookie", "bagel") * 3]
        asked.append(_score(client, "cookie", bad_part, **{"Idempotency-Key": "again"}))
        assert other.execute("SELECT count(*) FROM results").fetchone() == (0,)
        other.execute("COMMIT")
        other.close()

        def kept(query: str = "") -> list[dict[str, Any]]:
            return client.get(f"/v1/results{query}").json()["results"]

        until(lambda: len(kept()) == 7, "the results")
        until(lambda: kept("?is_simulated=true"), "the shadow's")
        assert {one["result_id"] for one in kept()} == set(asked)
        until(lambda: {file.stem for file in (tmp_path / "parts").iterdir()} == set(asked), "the parts")


def test_the_thread_that_scores_writes_nothing(
    serve: Callable[..., Any],
    make_loader: Any,
    make_detector: Any,
    bad_part: dict[str, bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loader = make_loader(make_detector("cookie"), make_detector("cookie", "v2"))
    loader.shadows["cookie"] = "v2"
    threads: list[tuple[str, bool]] = []
    with serve(Settings(banks=tmp_path), loader) as running, running.client() as client:
        store = running.app.state.shared.records.store
        add = store.add

        def noted(result: Result, *rest: Any) -> None:
            threads.append((threading.current_thread().name, result.simulates is not None))
            add(result, *rest)

        monkeypatch.setattr(store, "add", noted)
        until(lambda: "shadow_version" in client.get("/v1/products").json()["products"][0], "the shadow")
        _score(client, "cookie", bad_part)
        until(lambda: len(threads) == 2, "the shadow's result")
    assert {simulated for _, simulated in threads} == {False, True}
    assert all(name.startswith("tribank-record") for name, _ in threads)


def test_an_answer_does_not_wait_for_its_rejected_part_to_be_kept(
    serve: Callable[..., Any],
    loader: Any,
    strict_settings: Settings,
    bad_part: dict[str, bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    go_on = threading.Event()
    with serve(strict_settings, loader) as running, running.client() as client:
        parts = running.app.state.shared.records.parts
        add = parts.add

        def slow(*given: Any) -> None:
            assert go_on.wait(200)
            add(*given)

        monkeypatch.setattr(parts, "add", slow)
        made = _score(client, "cookie", bad_part)
        assert client.get(f"/v1/results/{made}").status_code == 200
        assert not parts.has(made)
        go_on.set()
        until(lambda: parts.has(made), "the part")


def test_a_result_that_nobody_got_is_marked(
    serve: Callable[..., Any],
    loader: Any,
    strict_settings: Settings,
    form: bytes,
    part: dict[str, bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun, go_on = threading.Event(), threading.Event()
    with serve(strict_settings, loader) as running, running.client() as client:
        _score(client, "cookie", part)
        store = running.app.state.shared.records.store
        add = store.add

        def slow(*given: Any) -> None:
            begun.set()
            assert go_on.wait(200)
            add(*given)

        monkeypatch.setattr(store, "add", slow)
        head = (
            "POST /v1/products/cookie/score HTTP/1.1\r\nHost: localhost\r\n"
            "Content-Type: multipart/form-data; boundary=b\r\nIdempotency-Key: one\r\n"
            f"Content-Length: {len(form)}\r\n\r\n"
        )
        with socket.create_connection((running.host, running.port), 60) as connection:
            connection.sendall(head.encode() + form)
            assert begun.wait(200)
        until(lambda: [line for line in running.log if line.get("status") == 499], "its end")
        go_on.set()

        def answered() -> list[bool]:
            return [one["answered"] for one in client.get("/v1/results").json()["results"]]

        until(lambda: answered() == [False, True], "the mark")
        table = client.get("/v1/results.csv").text.splitlines()
        column = table[0].split(",").index("answered")
        assert [line.split(",")[column] for line in table[1:]] == ["False", "True"]
        again = client.post(
            "/v1/products/cookie/score",
            content=form,
            headers={"Content-Type": "multipart/form-data; boundary=b", "Idempotency-Key": "one"},
        )
        assert again.headers["Idempotency-Replayed"] == "true"
        until(lambda: answered() == [True, True], "the answer that it got after all")


def test_what_waits_to_be_written_is_bounded() -> None:
    writer = RecordWriter(max_bytes=10)
    go_on = threading.Event()
    first = writer.submit(lambda: go_on.wait(200), size=8)
    with pytest.raises(QueueFull):
        writer.submit(lambda: None, size=3)
    second = writer.submit(lambda: "done", size=2)
    go_on.set()
    assert (first.result(200), second.result(200)) == (True, "done")

    def has_room() -> bool:
        with suppress(QueueFull):  # a moment after the last one is done
            return writer.submit(lambda: True, size=10).result(200)
        return False

    until(has_room, "the room")
    writer.close()
    with pytest.raises(QueueFull):
        writer.submit(lambda: None, size=0)


def test_every_line_of_a_request_says_who_asked_what(
    serve: Callable[..., Any], loader: Any, strict_settings: Settings, form: bytes
) -> None:
    with serve(strict_settings, loader) as running, running.client() as client:
        running.post(form)
        assert client.get("/no/such/place").status_code == 404
        scored, missed = (line for line in running.log if line["event"] == "request")
    assert (scored["route"], scored["client"]) == ("/v1/products/{product}/score", "127.0.0.1")
    assert scored["bytes_in"] == len(form)
    assert (missed["route"], missed["client"], missed["bytes_in"]) == ("none", "127.0.0.1", 0)
