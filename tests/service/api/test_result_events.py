"""Results are told as they are put on record."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.http.keys import Keys
from service.settings import Settings

EVENTS = "/v1/results/events"
SCORE = "/v1/products/cookie/score"


@pytest.fixture
def own(serve: Callable[..., Any], loader: Any, strict_settings: Settings) -> Iterator[Any]:
    """A server with no result yet."""
    with serve(strict_settings, loader) as running:
        yield running


def events(answer: httpx.Response) -> Iterator[tuple[int, dict[str, Any]]]:
    """The id and the data of each event."""
    fields: dict[str, str] = {}
    for line in answer.iter_lines():
        name, _, value = line.partition(": ")
        if line and name:
            fields[name] = value
        elif "data" in fields:
            assert fields["event"] == "result"
            yield int(fields.pop("id")), json.loads(fields.pop("data"))


def test_a_watcher_hears_of_each_result(own: Any, part: dict[str, bytes], bad_part: dict[str, bytes]) -> None:
    with own.client() as client, own.client() as line:
        line.post(SCORE, files=part).raise_for_status()
        with client.stream("GET", EVENTS) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            told = events(answer)
            first = line.post(SCORE, files=part, params={"part_id": "a"}).json()
            number, heard = next(told)
            assert (heard["result_id"], heard["part_id"]) == (first["result_id"], "a")
            assert line.get(f"/v1/results/{first['result_id']}").json() == heard | {"answer": first}
        missed = line.post(SCORE, files=bad_part, params={"threshold": 0.5}).json()
        with client.stream("GET", EVENTS, headers={"Last-Event-ID": str(number)}) as answer:
            assert next(events(answer))[1]["result_id"] == missed["result_id"]
        with client.stream("GET", EVENTS, params={"after": 0, "decision": "defective"}) as answer:
            assert next(events(answer))[1]["result_id"] == missed["result_id"]


def test_a_watcher_that_is_cut_off_before_an_event_misses_none(own: Any, part: dict[str, bytes]) -> None:
    with own.client() as client, own.client() as line:
        line.post(SCORE, files=part).raise_for_status()
        with client.stream("GET", EVENTS) as answer:
            last = next(text for text in answer.iter_lines() if text.startswith("id: "))
        missed = line.post(SCORE, files=part).json()
        with client.stream("GET", EVENTS, headers={"Last-Event-ID": last.removeprefix("id: ")}) as answer:
            assert next(events(answer))[1]["result_id"] == missed["result_id"]


def test_watchers_end_with_the_server(own: Any) -> None:
    with own.client() as client, client.stream("GET", EVENTS) as answer:
        lines = answer.iter_lines()
        assert next(lines) == ": results"
        own.server.handle_exit(signal.SIGINT, None)
        assert [line for line in lines if line.startswith(("event:", "data:"))] == []


def test_a_key_hears_of_its_own_products(
    serve: Callable[..., Any], loader: Any, strict_settings: Settings, part: dict[str, bytes], tmp_path: Path
) -> None:
    keys = Keys(tmp_path)
    boss, other = keys.add("boss", "manage"), keys.add("other", "read", products=["tile"])
    with serve(strict_settings, loader, state=tmp_path) as running, running.client() as client:
        client.post(SCORE, files=part, headers={"X-API-Key": boss}).raise_for_status()
        with client.stream("GET", f"{EVENTS}?after=0", headers={"X-API-Key": other}) as answer:
            running.server.handle_exit(signal.SIGINT, None)
            assert list(events(answer)) == []
