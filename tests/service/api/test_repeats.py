"""Parts that are sent again with their Idempotency-Key."""

from __future__ import annotations

import re
import socket
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.http.keys import Keys
from service.settings import Settings
from tests.waiting import until

URL = "/v1/products/cookie/score"
KEY = {"Idempotency-Key": "board-1"}


@pytest.fixture
def own(serve: Callable[..., Any], loader: Any, strict_settings: Settings, tmp_path: Path) -> Iterator[Any]:
    """A server with no result yet, and its state at hand."""
    with serve(strict_settings, loader, state=tmp_path / "state") as running:
        yield running


@pytest.fixture
def asks(own: Any) -> Iterator[httpx.Client]:
    with own.client() as client:
        yield client


def scored(client: httpx.Client) -> float:
    """How many parts were scored, by the counter."""
    series = client.get("/metrics").text
    return sum(float(number) for number in re.findall(r"^tribank_parts_total\{.*\} (.*)$", series, re.M))


def test_a_part_that_is_sent_again_has_one_result(
    own: Any, asks: httpx.Client, bad_part: dict[str, bytes], tmp_path: Path
) -> None:
    asked = {"part_id": "board-1", "threshold": 0.5}
    first = asks.post(URL, files=bad_part, params=asked, headers=KEY)
    again = asks.post(URL, files=bad_part, params=asked | {"deadline_ms": 9000}, headers=KEY)
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert (again.status_code, again.content) == (200, first.content)
    for name in ("result-id", "bank-version", "score", "threshold", "decision"):
        assert again.headers[f"tribank-{name}"] == first.headers[f"tribank-{name}"]
    assert len(asks.get("/v1/results").json()["results"]) == 1
    assert len(list((tmp_path / "state" / "parts").iterdir())) == 1
    assert scored(asks) == 1
    (line,) = [line for line in own.log if line.get("replayed")]
    assert line["result_id"] == first.json()["result_id"]


def test_an_answer_that_was_cut_off_is_there_for_the_next_try(
    own: Any, asks: httpx.Client, form: bytes
) -> None:
    kind = {"Content-Type": "multipart/form-data; boundary=b"} | KEY
    head = "".join(f"{name}: {value}\r\n" for name, value in kind.items())
    with socket.create_connection((own.host, own.port)) as line:
        line.sendall(f"POST {URL} HTTP/1.1\r\nHost: localhost\r\n{head}".encode())
        line.sendall(b"Content-Length: %d\r\n\r\n%b" % (len(form), form))
        kept = until(lambda: asks.get("/v1/results").json()["results"], "the kept result")
    again = asks.post(URL, content=form, headers=kind)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json()["result_id"] == kept[0]["result_id"]


@pytest.mark.parametrize("change", ["pixels", "threshold", "part_id"])
def test_the_key_of_another_request_is_refused(
    asks: httpx.Client, part: dict[str, bytes], bad_part: dict[str, bytes], change: str
) -> None:
    assert asks.post(URL, files=part, headers=KEY).status_code == 200
    query = {"threshold": {"threshold": 0.5}, "part_id": {"part_id": "other"}}.get(change, {})
    other = asks.post(URL, files=bad_part if change == "pixels" else part, params=query, headers=KEY)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    assert asks.post(URL, files=bad_part).status_code == 200


def test_a_key_is_of_its_product_and_its_api_key(
    serve: Callable[..., Any],
    make_detector: Any,
    make_loader: Any,
    strict_settings: Settings,
    part: dict[str, bytes],
    tmp_path: Path,
) -> None:
    keys = Keys(tmp_path)
    secrets = [keys.add("north", "score"), keys.add("south", "score")]
    loader = make_loader(make_detector("cookie"), make_detector("tile"))
    with serve(strict_settings, loader, state=tmp_path) as running, running.client() as client:
        results = {
            client.post(
                f"/v1/products/{product}/score", files=part, headers=KEY | {"X-API-Key": secret}
            ).json()["result_id"]
            for product in ("cookie", "tile")
            for secret in secrets
        }
    assert len(results) == 4


def test_the_same_request_twice_at_once_has_one_result(
    own: Any, asks: httpx.Client, detector: Any, part: dict[str, bytes]
) -> None:
    parts = own.app.state.shared.parts

    def until_both_are_in_work() -> None:
        until(lambda: parts.inside >= 2, "both in work")
        detector.before = lambda: None

    detector.before = until_both_are_in_work
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: asks.post(URL, files=part, headers=KEY), range(2)))
    assert sorted(answer.headers.get("idempotency-replayed", "") for answer in both) == ["", "true"]
    assert both[0].content == both[1].content
    assert len(asks.get("/v1/results").json()["results"]) == 1


def test_a_refused_part_may_be_sent_again(asks: httpx.Client, part: dict[str, bytes]) -> None:
    assert asks.post(URL, files={"rgb": part["rgb"]}, headers=KEY).status_code == 422
    assert "idempotency-replayed" not in asks.post(URL, files=part, headers=KEY).headers


def test_a_key_goes_with_its_result(
    own: Any, asks: httpx.Client, part: dict[str, bytes], tmp_path: Path
) -> None:
    asks.post(URL, files=part, headers=KEY)
    store = own.app.state.shared.records.store
    store._keep_s = 0.0
    store.prune()
    with sqlite3.connect(tmp_path / "state" / "results.sqlite") as db:
        assert db.execute("SELECT count(*) FROM requests").fetchone() == (0,)
    assert "idempotency-replayed" not in asks.post(URL, files=part, headers=KEY).headers


@pytest.mark.parametrize(
    ("path", "headers", "code"),
    [
        (URL, {"Accept": "image/png"}, "idempotency_key_unused"),
        (URL, {"Idempotency-Key": ""}, "invalid_idempotency_key"),
        (URL, {"Idempotency-Key": "x" * 256}, "invalid_idempotency_key"),
        ("/v1/products/cookie/batch", {}, "idempotency_key_unused"),
        ("/v1/products/cookie/rollback", {}, "idempotency_key_unused"),
    ],
)
def test_a_key_without_effect_is_refused(
    asks: httpx.Client, part: dict[str, bytes], path: str, headers: dict[str, str], code: str
) -> None:
    answer = asks.post(path, files=part, headers=KEY | headers)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_a_key_without_effect_is_refused_by_the_inference_protocol(asks: httpx.Client) -> None:
    answer = asks.post("/v2/models/cookie/infer", json={}, headers=KEY)
    assert answer.status_code == 400
    assert "Idempotency-Key" in answer.json()["error"]
