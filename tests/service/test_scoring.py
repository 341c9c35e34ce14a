from __future__ import annotations

import io
import json
import threading
import time
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image
from plyfile import PlyData

URL = "/v1/products/cookie/score"
FIELDS = {
    "part_id", "result_id", "product", "bank_version", "score", "threshold", "decision", "banks", "regions",
    "timings_ms", "creation_time",
}  # fmt: skip


def test_a_good_and_a_defective_part(client: httpx.Client, part: Any, bad_part: Any) -> None:
    good = client.post(URL, files=part, data={"part_id": "board-1"}).json()
    bad = client.post(URL, files=bad_part).json()
    assert set(good) == FIELDS
    assert (good["part_id"], good["decision"], good["regions"]) == ("board-1", "good", [])
    assert (bad["part_id"], bad["decision"], len(bad["regions"])) == (None, "defective", 1)
    assert bad["score"] > bad["threshold"]
    assert bad["result_id"] != good["result_id"]
    left, top, right, bottom = bad["regions"][0]["box"]
    assert left < 40 < right
    assert top < 50 < bottom


def test_pictures_come_at_the_size_of_the_source(client: httpx.Client, bad_part: Any) -> None:
    answer = client.post(URL, files=bad_part, headers={"Accept": "image/png"})
    assert answer.headers["tribank-decision"] == "defective"
    assert answer.headers["x-content-type-options"] == "nosniff"
    with Image.open(io.BytesIO(answer.content)) as image:
        assert image.size == (128, 96)


def test_the_raw_map(client: httpx.Client, bad_part: Any) -> None:
    answer = client.post(URL, files=bad_part, headers={"Accept": "application/x-npy"})
    scores = np.load(io.BytesIO(answer.content), allow_pickle=False)
    assert (scores.shape, scores.dtype) == ((96, 128), np.float32)
    assert scores.max() == pytest.approx(float(answer.headers["tribank-score"]), abs=0.05)


def test_the_colored_cloud(client: httpx.Client, bad_part: Any) -> None:
    answer = client.post(URL, files=bad_part, headers={"Accept": "application/ply"})
    assert "score" in PlyData.read(io.BytesIO(answer.content))["vertex"].data.dtype.names


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("*/*", "application/json"),
        ("", "application/json"),
        ("text/html, image/*;q=0.8", "image/png"),
        ("application/json;q=0.1, application/ply", "application/ply"),
        ("application/json;q=0, */*", "image/png"),
    ],
)
def test_the_accept_header_chooses(client: httpx.Client, part: Any, accept: str, kind: str) -> None:
    answer = client.post(URL, files=part, headers={"Accept": accept})
    assert answer.headers["content-type"] == kind


def test_depth_with_intrinsics(client: httpx.Client, part: Any) -> None:
    depth = io.BytesIO()
    Image.fromarray(np.full((96, 128), 700, np.uint16)).save(depth, "PNG")
    camera = json.dumps({"fx": 500, "fy": 500, "cx": 64, "cy": 48})
    files = {"rgb": part["rgb"], "depth": depth.getvalue()}
    assert client.post(URL, files=files, data={"intrinsics": camera}).status_code == 200


def test_an_npz_sample(client: httpx.Client, sample: Any) -> None:
    file = io.BytesIO()
    np.savez(file, rgb=sample.rgb, xyz=sample.xyz)
    assert client.post(URL, files={"sample": file.getvalue()}).status_code == 200


def test_the_request_id_is_honoured_or_issued(client: httpx.Client, part: Any) -> None:
    assert (
        client.post(URL, files=part, headers={"X-Request-ID": "line-7"}).headers["x-request-id"] == "line-7"
    )
    issued = client.get("/nowhere", headers={"X-Request-ID": 'a"b c'})
    assert issued.headers["x-request-id"] == issued.json()["request_id"]
    assert len(issued.headers["x-request-id"]) == 32


def test_one_log_line_a_part_without_file_names(server: Any, part: Any) -> None:
    with server.client() as client:
        files = {"rgb": ("secret-name.png", part["rgb"]), "xyz": ("b.tiff", part["xyz"])}
        client.post(URL, files=files, headers={"X-Request-ID": "logged"})
    lines = [line for line in server.log if line.get("request_id") == "logged"]
    assert len(lines) == 1
    assert lines[0]["decision"] == "good"
    assert "secret-name" not in json.dumps(server.log)


def test_overload_is_429_and_passes(
    serve: Any, strict_settings: Any, loader: Any, detector: Any, part: Any
) -> None:
    entered, go_on = threading.Event(), threading.Event()
    detector.before = lambda: (entered.set(), go_on.wait(5))
    settings = strict_settings.model_copy(update={"max_in_flight": 1})
    with serve(settings, loader) as running, running.client() as client, running.client() as other:
        answers: list[httpx.Response] = []
        first = threading.Thread(target=lambda: answers.append(other.post(URL, files=part)))
        first.start()
        assert entered.wait(5)
        refused = client.post(URL, files=part)
        assert (refused.status_code, refused.json()["code"]) == (429, "overloaded")
        assert int(refused.headers["retry-after"]) >= 1
        go_on.set()
        first.join(10)
        assert answers[0].status_code == 200
        assert client.post(URL, files=part).status_code == 200


def test_a_passed_deadline_is_504(
    serve: Any, strict_settings: Any, loader: Any, detector: Any, part: Any
) -> None:
    detector.before = lambda: time.sleep(0.5)
    settings = strict_settings.model_copy(update={"deadline_s": 0.2})
    with serve(settings, loader) as running, running.client() as client:
        assert client.post(URL, files=part).json()["code"] == "deadline_passed"


def test_a_dead_owner_is_503_and_not_ready(
    serve: Any, strict_settings: Any, loader: Any, detector: Any, part: Any
) -> None:
    def die() -> None:
        raise SystemExit

    detector.before = die
    with serve(strict_settings, loader) as running, running.client() as client:
        answer = client.post(URL, files=part)
        assert (answer.status_code, answer.json()["code"]) == (503, "not_running")
        assert client.get("/readyz").status_code == 503
        assert client.get("/healthz").status_code == 200


def test_a_client_that_leaves_is_logged_499(
    serve: Any, strict_settings: Any, loader: Any, detector: Any, part: Any, form: bytes
) -> None:
    entered, go_on = threading.Event(), threading.Event()
    detector.before = lambda: (entered.set(), go_on.wait(5))
    head = b"POST /v1/products/cookie/score HTTP/1.1\r\nHost: t\r\n"
    head += b"Content-Type: multipart/form-data; boundary=b\r\n"
    with serve(strict_settings, loader) as running:
        running.raw(head + b"Content-Length: %d\r\n\r\n" % len(form) + form, timeout=0.5)
        assert entered.wait(5)
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline and not any(line.get("status") == 499 for line in running.log):
            time.sleep(0.02)
        go_on.set()
        assert any(line.get("status") == 499 for line in running.log)
        with running.client() as client:
            assert client.post(URL, files=part).status_code == 200


def test_a_failure_of_ours_is_a_plain_500(
    serve: Any, strict_settings: Any, loader: Any, detector: Any, part: Any
) -> None:
    detector.version = None  # breaks the answer's schema
    with serve(strict_settings, loader) as running, running.client() as client:
        answer = client.post(URL, files=part)
        assert answer.status_code == 500
        assert answer.json()["code"] == "internal"
        assert "Traceback" not in answer.text
