"""Labels of a part: how they are read, and where they come back."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from service.engine.labels import EXAMPLE, MOST_LABELS, label_text, labels_of
from service.refusals import Refusal
from service.settings import Settings

SCORE = "/v1/products/cookie/score"


def test_labels_are_read_and_written() -> None:
    labels = labels_of(EXAMPLE)
    assert labels == {"lot": "A-113", "shift": "night", "station": "7"}
    assert labels_of(label_text(labels)) == labels
    assert labels_of(None) == {}
    assert labels_of("a: b c ,d:ü") == {"a": "b c", "d": "ü"}


@pytest.mark.parametrize(
    "text",
    [
        *("", "a", "a:", ":b", "A:b", "a:b,", "a:b,a:c", "a:b:c", "a:\n", "a:b\0", "a: ", "1a:b"),
        *("a" * 33 + ":b", "a:" + "b" * 65, ",".join(f"a{n}:b" for n in range(MOST_LABELS + 1))),
    ],
)
def test_other_labels_are_refused(text: str) -> None:
    with pytest.raises(Refusal) as refused:
        labels_of(text)
    assert (refused.value.status, refused.value.code) == (422, "invalid_labels")


@pytest.fixture
def own(serve: Callable[..., Any], loader: Any, strict_settings: Settings) -> Iterator[Any]:
    with serve(strict_settings, loader) as running:
        yield running


def test_labels_are_in_the_answer_the_record_the_table_and_the_log(own: Any, part: dict[str, bytes]) -> None:
    with own.client() as client:
        answer = client.post(SCORE, files=part, params={"labels": EXAMPLE}).json()
        assert answer["labels"] == labels_of(EXAMPLE)
        assert client.post(SCORE, files=part).json()["labels"] == {}
        refused = client.post(SCORE, files=part, params={"labels": "Shift:1"})
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid_labels")
        for wish, count in (
            ("shift:night", 1),
            ("station:7,shift:night", 1),
            ("shift:day", 0),
            ("station:night", 0),
        ):
            found = client.get("/v1/results", params={"labels": wish}).json()["results"]
            assert len(found) == count, wish
        (found,) = client.get("/v1/results", params={"labels": "lot:A-113"}).json()["results"]
        assert (found["result_id"], found["labels"]) == (answer["result_id"], labels_of(EXAMPLE))
        refused = client.get("/v1/results.csv", params={"labels": "\xa0"})
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid_labels")
        rows = list(csv.DictReader(io.StringIO(client.get("/v1/results.csv").text)))
        assert [row["labels"] for row in rows] == ["", label_text(labels_of(EXAMPLE))]
    logged = [line for line in own.log if line.get("result_id") == answer["result_id"]]
    assert logged[0]["labels"] == labels_of(EXAMPLE)


def test_a_batch_gives_its_labels_to_every_part_also_as_a_job(own: Any, part: dict[str, bytes]) -> None:
    files = [("file", (f"1.{kind}", part[field])) for kind, field in (("png", "rgb"), ("tiff", "xyz"))]
    with own.client() as client:
        asked: dict[str, Any] = {"params": {"labels": "lot:4"}, "files": files}
        line = client.post("/v1/products/cookie/batch", **asked).json()
        assert line["labels"] == {"lot": "4"}
        job = client.post("/v1/products/cookie/batch", **asked, headers={"Prefer": "respond-async"})
        client.get(f"{job.headers['location']}/events")
        (line,) = client.get(f"{job.headers['location']}/results").text.splitlines()
        assert httpx.Response(200, text=line).json()["labels"] == {"lot": "4"}


def test_the_same_key_with_other_labels_is_another_request(own: Any, part: dict[str, bytes]) -> None:
    key = {"Idempotency-Key": "once"}
    with own.client() as client:
        first = client.post(SCORE, files=part, params={"labels": "lot:4"}, headers=key)
        again = client.post(SCORE, files=part, params={"labels": "lot:4"}, headers=key)
        assert again.json() == first.json()
        other = client.post(SCORE, files=part, params={"labels": "lot:5"}, headers=key)
        assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
