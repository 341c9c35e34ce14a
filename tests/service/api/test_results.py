"""What was answered, asked for again over HTTP."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from service.disk_faults import Fault, RecordsError
from service.settings import Settings
from tests.waiting import until

SCORE = "/v1/products/cookie/score"


@pytest.fixture
def own(serve: Callable[..., Any], loader: Any, strict_settings: Settings) -> Iterator[Any]:
    """A server with no result yet."""
    with serve(strict_settings, loader) as running:
        yield running


@pytest.fixture
def asks(own: Any) -> Iterator[httpx.Client]:
    with own.client() as client:
        yield client


def score(client: httpx.Client, part: dict[str, bytes], **query: Any) -> dict[str, Any]:
    answer = client.post(SCORE, files=part, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_what_was_answered_is_on_record(
    asks: httpx.Client, part: dict[str, bytes], bad_part: dict[str, bytes]
) -> None:
    good, bad = score(asks, part, part_id="a"), score(asks, bad_part, part_id="b", threshold=0.5)
    shown = asks.get(f"/v1/results/{bad['result_id']}").json()
    assert shown["answer"] == bad
    assert shown["creation_time"] == bad["creation_time"]
    assert (shown["verdict"], shown["is_simulated"]) == (None, False)
    listed = asks.get("/v1/results").json()
    assert [one["result_id"] for one in listed["results"]] == [bad["result_id"], good["result_id"]]
    assert listed["next"] is None
    (only,) = asks.get("/v1/results", params={"decision": "defective", "part_id": " b "}).json()["results"]
    assert only["result_id"] == bad["result_id"]
    limits = {"score_from": bad["score"], "score_below": bad["score"] + 1}
    (only,) = asks.get("/v1/results", params=limits).json()["results"]
    assert (only["result_id"], only["job_id"]) == (bad["result_id"], None)
    assert asks.get("/v1/results", params=limits | {"plane_found": False}).json()["results"] == []
    assert asks.get("/v1/results.csv", params=limits).text.count("\n") == 2
    picture = asks.get(f"/v1/results/{bad['result_id']}/picture")
    assert picture.headers["content-type"] == "image/jpeg"
    assert Image.open(io.BytesIO(picture.content)).size == (224, 224)


def test_a_record_from_before_a_field_was_told_is_shown(
    own: Any, asks: httpx.Client, part: dict[str, bytes]
) -> None:
    store = own.app.state.shared.records.store
    result = store.find(score(asks, part)["result_id"]).result
    answer = json.loads(result.answer)
    del answer["valid_point_share"], answer["plane_found"]
    store.add(replace(result, id="0" * 32, answer=json.dumps(answer)), b"")
    shown = asks.get(f"/v1/results/{'0' * 32}").json()["answer"]
    assert (shown["valid_point_share"], shown["plane_found"]) == (None, None)


def test_pages(asks: httpx.Client, part: dict[str, bytes]) -> None:
    made = [score(asks, part)["result_id"] for _ in range(3)]
    first = asks.get("/v1/results", params={"limit": 2}).json()
    second = asks.get("/v1/results", params={"limit": 2, "before": first["next"]}).json()
    assert [one["result_id"] for one in first["results"] + second["results"]] == made[::-1]
    assert second["next"] is None


def test_every_way_of_asking_is_on_record(asks: httpx.Client, part: dict[str, bytes]) -> None:
    picture = asks.post(SCORE, files=part, headers={"Accept": "image/png"})
    assert picture.headers["content-type"] == "image/png"
    (kept,) = asks.get("/v1/results").json()["results"]
    assert kept["result_id"] == picture.headers["tribank-result-id"]
    assert kept["part_id"] is None


def test_a_refused_part_has_no_result(asks: httpx.Client, part: dict[str, bytes]) -> None:
    assert asks.post(SCORE, files={"rgb": part["rgb"]}).status_code == 422
    assert asks.get("/v1/results").json()["results"] == []


def test_feedback(asks: httpx.Client, bad_part: dict[str, bytes]) -> None:
    name = score(asks, bad_part)["result_id"]
    said = asks.put(f"/v1/results/{name}/feedback", json={"verdict": "good", "note": "a reflection"})
    assert (said.status_code, said.json()["verdict"]) == (200, "good")
    assert asks.get("/v1/results", params={"verdict": "good"}).json()["results"] == [said.json()]
    assert asks.delete(f"/v1/results/{name}/feedback").json()["verdict"] is None
    assert asks.get("/v1/results", params={"verdict": "good"}).json()["results"] == []
    packed = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    refused = asks.put(f"/v1/results/{name}/feedback", content=gzip.compress(b"{}"), headers=packed)
    assert (refused.status_code, refused.json()["code"]) == (415, "unsupported_encoding")


@pytest.mark.parametrize("body", [{}, {"verdict": "maybe"}, {"verdict": "good", "note": "x" * 501}, {"a": 1}])
def test_feedback_that_says_nothing(asks: httpx.Client, part: dict[str, bytes], body: Any) -> None:
    name = score(asks, part)["result_id"]
    assert asks.put(f"/v1/results/{name}/feedback", json=body).status_code == 422


@pytest.mark.parametrize(
    "call",
    [
        ("GET", "/v1/results/nothing"),
        ("GET", "/v1/results/nothing/picture"),
        ("PUT", "/v1/results/nothing/feedback"),
        ("DELETE", "/v1/results/nothing/feedback"),
        ("GET", "/v1/results/histogram?product=nothing"),
    ],
)
def test_what_is_not_there(client: httpx.Client, call: tuple[str, str]) -> None:
    method, path = call
    body = {"verdict": "good"} if method == "PUT" else None
    answer = client.request(method, path, json=body)
    assert (answer.status_code, answer.json()["status"]) == (404, 404)


@pytest.mark.parametrize(
    "query",
    [
        "since=yesterday",
        "since=2026-01-01T00:00:00",
        "until=1780000000",
        "limit=0",
        "limit=1001",
        "a=1",
        "before=-1",
    ],
)
def test_filters_that_mean_nothing(client: httpx.Client, query: str) -> None:
    assert client.get(f"/v1/results?{query}").json()["code"] == "invalid_parameter"


def test_the_table_has_every_result_and_no_formula(asks: httpx.Client, part: dict[str, bytes]) -> None:
    made = score(asks, part, part_id="=1+1, 'x'")
    asks.put(f"/v1/results/{made['result_id']}/feedback", json={"verdict": "good", "note": "\r=1+1"})
    score(asks, part, part_id="plain")
    answer = asks.get("/v1/results.csv", params={"product": "cookie"})
    assert answer.headers["content-type"].startswith("text/csv")
    assert "results.csv" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["part_id"] for row in rows] == ["plain", "'=1+1, 'x'"]
    assert rows[1]["note"] == "'\r=1+1"
    assert float(rows[1]["score"]) == made["score"]
    assert float(rows[1]["relative_score"]) == made["relative_score"]
    assert float(rows[1]["score_rgb"]) == made["banks"]["rgb"]
    assert (rows[1]["score_point"], rows[1]["decision"]) == ("", made["decision"])
    assert asks.get("/v1/results.csv", params={"product": "none"}).text.count("\n") == 1
    marked = asks.get("/v1/results.csv", params={"product": "cookie", "excel": "1"})
    assert marked.content == b"\xef\xbb\xbf" + answer.content


def test_the_histogram_says_what_a_threshold_makes_of_the_parts(
    asks: httpx.Client, part: dict[str, bytes], bad_part: dict[str, bytes]
) -> None:
    low, *_ = [score(asks, part) for _ in range(3)]
    high = score(asks, bad_part)
    asks.put(f"/v1/results/{high['result_id']}/feedback", json={"verdict": "good"})
    found = asks.get("/v1/results/histogram", params={"product": "cookie"}).json()
    assert (found["bank_version"], found["threshold"]) == ("v1", low["threshold"])
    assert (found["count"], found["rejected"], found["rejected_good"]) == (4, 1, 1)
    assert (sum(found["unjudged"]), sum(found["good"]), sum(found["defective"])) == (3, 1, 0)
    assert len(found["edges"]) == len(found["good"]) + 1
    assert found["edges"][0] <= low["score"] < high["score"] <= found["edges"][-1]
    asks.put(f"/v1/results/{high['result_id']}/feedback", json={"verdict": "defective"})
    loose = asks.get("/v1/results/histogram", params={"product": "cookie", "threshold": 2.0}).json()
    assert (loose["rejected"], loose["passed_defective"]) == (0, 1)
    empty = asks.get("/v1/results/histogram", params={"product": "cookie", "bank_version": "v9"}).json()
    assert (empty["count"], sum(empty["unjudged"])) == (0, 0)


def test_a_shadows_result_is_marked(
    serve: Callable[..., Any],
    make_detector: Any,
    make_loader: Any,
    strict_settings: Settings,
    part: dict[str, bytes],
) -> None:
    loader = make_loader(make_detector(), make_detector(version="v2"))
    loader.shadows["cookie"] = "v2"
    settings = strict_settings.model_copy(update={"poll_s": 0.05})
    with serve(settings, loader) as running, running.client() as client:
        until(
            lambda: client.get("/v1/products").json()["products"][0].get("shadow_version") == "v2",
            "the shadow",
        )
        made = score(client, part)
        (simulated,) = until(
            lambda: client.get("/v1/results?is_simulated=true").json()["results"], "the shadow's result"
        )
        assert (simulated["simulates"], simulated["bank_version"]) == (made["result_id"], "v2")
        (decided,) = client.get("/v1/results").json()["results"]
        assert (decided["result_id"], decided["is_simulated"]) == (made["result_id"], False)


def test_a_record_that_cannot_be_written_loses_no_answer(
    own: Any, asks: httpx.Client, part: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise RecordsError("database or disk is full", Fault.FULL)

    monkeypatch.setattr(own.app.state.shared.records.store, "add", full)
    made = score(asks, part)
    (line,) = [entry for entry in own.log if entry["event"] == "result_not_kept"]
    assert line["result_id"] == made["result_id"]
    assert 'tribank_results_not_kept_total{product="cookie"} 1.0' in asks.get("/metrics").text


def test_a_full_disk_is_told(
    own: Any, asks: httpx.Client, part: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = score(asks, part)["result_id"]

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(own.app.state.shared.records.store, "judge", full)
    answer = asks.put(f"/v1/results/{name}/feedback", json={"verdict": "good"})
    assert (answer.status_code, answer.json()["code"]) == (507, "disk_full")


def test_results_outlive_a_restart_and_what_was_used_last_is_loaded_first(
    serve: Callable[..., Any],
    make_loader: Any,
    make_detector: Any,
    strict_settings: Settings,
    part: dict[str, bytes],
    tmp_path: Path,
) -> None:
    loader = make_loader(*map(make_detector, ("anchor", "cap", "cookie", "rope")))
    with serve(strict_settings, loader, state=tmp_path) as running, running.client() as client:
        made = score(client, part)["result_id"]
    loader.loads.clear()
    settings = strict_settings.model_copy(update={"pinned": "rope"})
    with serve(settings, loader, state=tmp_path) as running, running.client() as client:
        assert [one["result_id"] for one in client.get("/v1/results").json()["results"]] == [made]
        until(lambda: len(loader.loads) == 4, "all banks")
    assert [product for product, _ in loader.loads] == ["rope", "cookie", "anchor", "cap"]
