"""A part on its way, where its bank is not in memory yet."""

from __future__ import annotations

import io
import json
import threading
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.waiting import until

ZIP = {"Content-Type": "application/zip"}


@pytest.fixture
def go_on() -> Iterator[threading.Event]:
    """What the load of the cold product waits for."""
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def running(
    serve: Any, strict_settings: Any, make_detector: Any, make_loader: Any, go_on: threading.Event
) -> Iterator[Any]:
    """A server with a warm product `cookie`, and `tile`, which is loaded at its first part."""
    loader = make_loader(make_detector("cookie"), make_detector("tile"))
    load = loader.load

    def slow(product: str, version: str | None = None) -> Any:
        if product == "tile":
            go_on.wait(60)
        return load(product, version)

    loader.load = slow
    settings = strict_settings.model_copy(
        update={"load": "first-use", "pinned": "cookie", "max_in_flight": 2, "deadline_s": 60.0}
    )
    with serve(settings, loader) as running:
        yield running


def test_parts_that_wait_for_a_bank_keep_no_other_product_out(
    running: Any, go_on: threading.Event, part: dict[str, bytes]
) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("1.png", part["rgb"])
        archive.writestr("1.tiff", part["xyz"])

    def score(product: str) -> httpx.Response:
        with running.client() as client:
            return client.post(f"/v1/products/{product}/score", files=part)

    def batch() -> httpx.Response:
        with running.client() as client:
            return client.post("/v1/products/tile/batch", content=file.getvalue(), headers=ZIP)

    loading, parts = running.app.state.shared.inspection.loading, running.app.state.shared.parts
    with ThreadPoolExecutor(3) as lines:
        waiting = [lines.submit(score, "tile") for _ in range(2)]
        streamed = lines.submit(batch)
        until(lambda: loading.inside >= 2, "two parts that wait for the bank")
        assert parts.inside == 0
        assert score("cookie").status_code == 200
        refused = score("tile")
        assert (refused.status_code, refused.json()["code"]) == (503, "loading")
        assert "Retry-After" in refused.headers
        go_on.set()
        answers = [future.result() for future in waiting]
        assert [json.loads(line)["decision"] for line in streamed.result().text.splitlines()] == ["good"]
    assert [answer.status_code for answer in answers if answer.status_code != 429] != []
    assert "load;dur=" in max(answer.headers.get("server-timing", "") for answer in answers)


def test_one_who_leaves_while_a_bank_is_loaded_stops_no_load(
    running: Any, go_on: threading.Event, form: bytes, part: dict[str, bytes]
) -> None:
    head = b"POST /v1/products/tile/score HTTP/1.1\r\nHost: localhost\r\n"
    head += b"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: %d\r\n\r\n" % len(form)
    running.raw(head + form, timeout=0.3)
    until(lambda: any(line.get("status") == 499 for line in running.log), "the line of who left")
    go_on.set()
    with running.client() as client:
        assert client.post("/v1/products/tile/score", files=part).status_code == 200
