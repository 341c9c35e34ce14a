from __future__ import annotations

import io
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from email import message_from_bytes
from typing import Any

import httpx
import numpy as np
import pytest
import tifffile
from PIL import Image
from plyfile import PlyData

from models.sample import Sample
from recipes.preparation import Preparation
from tests.service.conftest import png, tiff
from tests.waiting import until

URL = "/v1/products/cookie/score"
RAW = {"Content-Type": "application/octet-stream"}
FIELDS = {
    "part_id", "result_id", "product", "bank_version", "score", "threshold", "decision", "banks", "regions",
    "timings_ms", "creation_time", "threshold_source", "relative_score", "contributions", "evidence",
    "valid_point_share", "plane_found", "place", "xyz_unit", "image_scale", "coverage", "labels",
}  # fmt: skip


def npz(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def test_a_good_and_a_defective_part(client: httpx.Client, part: Any, bad_part: Any) -> None:
    good = client.post(URL, files=part, data={"part_id": "board-1"}).json()
    bad = client.post(URL, files=bad_part).json()
    assert set(good) == FIELDS
    assert (good["part_id"], good["decision"], good["regions"]) == ("board-1", "good", [])
    assert (bad["part_id"], bad["decision"], len(bad["regions"])) == (None, "defective", 1)
    assert bad["score"] > bad["threshold"]
    assert bad["result_id"] != good["result_id"]
    left, top, right, bottom = (bad["regions"][0]["box"][side] for side in ("left", "top", "right", "bottom"))
    assert left < 40 < right
    assert top < 50 < bottom


@pytest.fixture
def declaring(
    serve: Callable[..., Any], strict_settings: Any, make_detector: Any, make_loader: Any
) -> Iterator[httpx.Client]:
    """A client of a server of three products: one declares nothing, the others 9999 and -1."""
    products = {"cookie": None, "nines": 9999.0, "minus": -1.0}
    detectors = [
        make_detector(name, preparation=Preparation("none", no_return=value))
        for name, value in products.items()
    ]
    with serve(strict_settings, make_loader(*detectors)) as running, running.client() as client:
        yield client


@pytest.mark.parametrize(("product", "value"), [("nines", 9999), ("minus", -1)])
def test_a_declared_value_is_no_return_however_a_part_comes(
    declaring: httpx.Client, sample: Sample, product: str, value: float
) -> None:
    seen, declared = sample.xyz.copy(), sample.xyz.copy()
    seen[:20], declared[:20] = 0, value
    url = f"/v1/products/{product}/score"
    picture = png(sample.rgb)
    expected = declaring.post(
        url, files={"rgb": picture, "xyz": tiff(seen)}, headers={"Accept": "application/x-npz"}
    )
    halves = npz(rgb=sample.rgb, xyz=declared.astype(np.float16))
    assert declaring.post(url, content=halves, headers=RAW).status_code == 200
    answers = [
        declaring.post(
            url,
            headers={"Accept": "application/x-npz"},
            **body,  # type: ignore[arg-type]
        )
        for body in (
            {"files": {"rgb": picture, "xyz": tiff(declared)}},
            {"files": {"sample": npz(rgb=sample.rgb, xyz=declared)}},
        )
    ]
    with np.load(io.BytesIO(expected.content)) as without:
        for answer in answers:
            with np.load(io.BytesIO(answer.content)) as found:
                assert np.array_equal(found["xyz"], without["xyz"])
                assert np.array_equal(found["valid"], without["valid"])
    cloud = declaring.post(
        url, files={"rgb": picture, "xyz": tiff(declared)}, headers={"Accept": "application/ply"}
    )
    assert PlyData.read(io.BytesIO(cloud.content))["vertex"]["z"].max() < 1
    tensors = {
        "inputs": [
            {"name": "rgb", "datatype": "UINT8", "shape": sample.rgb.shape, "data": sample.rgb.tolist()},
            {"name": "xyz", "datatype": "FP32", "shape": declared.shape, "data": declared.tolist()},
        ]
    }
    assert declaring.post(f"/v2/models/{product}/infer", json=tensors).status_code == 200


def test_a_value_that_nobody_declared_is_out_of_range(declaring: httpx.Client, sample: Sample) -> None:
    declared = sample.xyz.copy()
    declared[:20] = 9999
    told = declaring.post(URL, files={"rgb": png(sample.rgb), "xyz": tiff(declared)}).json()
    assert (told["status"], told["code"]) == (422, "out_of_range")
    assert "preparation.no_return" in told["detail"]


def test_nothing_declared_counts_as_a_point(
    serve: Callable[..., Any], strict_settings: Any, make_detector: Any, make_loader: Any, sample: Sample
) -> None:
    declared = sample.xyz.copy()
    declared[:48] = -1
    loader = make_loader(make_detector(preparation=Preparation("none", no_return=-1)))
    with serve(strict_settings, loader) as running, running.client() as client:
        told = client.post(URL, files={"rgb": png(sample.rgb), "xyz": tiff(declared)}).json()
    assert told["valid_point_share"] == 0.5
    assert [line["valid_point_share"] for line in running.log if "valid_point_share" in line] == [0.5]


def test_a_part_whose_plane_is_not_found_says_so(
    serve: Callable[..., Any], strict_settings: Any, make_detector: Any, make_loader: Any, sample: Sample
) -> None:
    flat = sample.xyz.copy()
    flat[..., 2] = 0.5
    flat[20:76, 24:104, 2] = 0.46
    bent = flat.copy()
    bent[..., 2] += 0.02 * np.sin(np.mgrid[:96, :128].sum(axis=0) / 12)
    detectors = make_detector(preparation=Preparation()), make_detector("prepared")
    with serve(strict_settings, make_loader(*detectors)) as running, running.client() as client:
        told = [
            client.post(f"/v1/products/{product}/score", files={"rgb": png(sample.rgb), "xyz": tiff(xyz)})
            for product, xyz in (("cookie", flat), ("cookie", bent), ("prepared", flat))
        ]
    assert [answer.json()["plane_found"] for answer in told] == [True, False, None]
    logged = [line["plane_found"] for line in running.log if "plane_found" in line]
    assert logged == [True, False, None]


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


def test_the_grey_map_goes_back_to_scores(client: httpx.Client, bad_part: Any) -> None:
    raw = client.post(URL, files=bad_part, headers={"Accept": "image/tiff"})
    scores = tifffile.imread(io.BytesIO(raw.content))
    assert (scores.shape, scores.dtype) == ((96, 128), np.float32)
    answer = client.post(URL, files=bad_part, headers={"Accept": "image/png;depth=16"})
    assert answer.headers["content-type"] == "image/png"
    with Image.open(io.BytesIO(answer.content)) as image:
        grey = np.asarray(image)
    assert grey.dtype == np.uint16
    step, offset = (float(answer.headers[f"tribank-map-{name}"]) for name in ("scale", "offset"))
    np.testing.assert_allclose(grey * step + offset, scores, atol=step)


def test_json_and_picture_in_one_answer(client: httpx.Client, bad_part: Any) -> None:
    answer = client.post(URL, files=bad_part, headers={"Accept": "multipart/mixed"})
    head = f"Content-Type: {answer.headers['content-type']}\r\n\r\n".encode()
    parts = [part for part in message_from_bytes(head + answer.content).walk() if not part.is_multipart()]
    assert [part.get_content_type() for part in parts] == ["application/json", "image/png"]
    assert set(json.loads(str(parts[0].get_payload()))) == FIELDS
    picture = parts[1].get_payload(decode=True)
    assert picture == client.post(URL, files=bad_part, headers={"Accept": "image/png"}).content


def test_a_raw_sample_with_its_name_in_the_query(client: httpx.Client, sample: Any) -> None:
    answer = client.post(
        URL, content=npz(rgb=sample.rgb, xyz=sample.xyz), headers=RAW, params={"part_id": "board-9"}
    )
    assert answer.status_code == 200
    assert answer.json()["part_id"] == "board-9"
    stages = [stage.partition(";dur=")[0] for stage in answer.headers["server-timing"].split(", ")]
    assert stages == ["receive", "decode", "queue", "search", "total", "encode"]


def test_a_cloud_of_scaled_integers_is_the_same_part(client: httpx.Client, sample: Any) -> None:
    xyz = np.where(sample.valid[..., None], np.rint((sample.xyz - 0.25) / 1e-5), 0).astype(np.int16)
    scaled = npz(rgb=sample.rgb, xyz=xyz, xyz_scale=np.float64(1e-5), xyz_offset=np.full(3, 0.25))
    plain = npz(rgb=sample.rgb, xyz=sample.xyz)
    first, second = (
        PlyData.read(
            io.BytesIO(client.post(URL, content=body, headers=RAW | {"Accept": "application/ply"}).content)
        )
        for body in (plain, scaled)
    )
    for axis in "xyz":
        np.testing.assert_allclose(first["vertex"][axis], second["vertex"][axis], atol=6e-6)


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("threshold=1e999", 422, "invalid_parameter"),
        ("threshold=nan", 422, "invalid_parameter"),
        ("threshold=high", 422, "invalid_parameter"),
        ("deadline_ms=0", 422, "invalid_parameter"),
        ("deadline_ms=1.5", 422, "invalid_parameter"),
        ("colour=red", 422, "invalid_parameter"),
        ("part_id=" + "x" * 129, 422, "invalid_parameter"),
        ("part_id=%0A", 422, "invalid_part_id"),
        ("part_id=%ff", 422, "invalid_parameter"),
        ("threshold=-1e308", 200, None),
    ],
)
def test_72_options_of_the_query(
    client: httpx.Client, sample: Any, query: str, status: int, code: str | None
) -> None:
    answer = client.post(f"{URL}?{query}", content=npz(rgb=sample.rgb, xyz=sample.xyz), headers=RAW)
    assert (answer.status_code, answer.json().get("code")) == (status, code)


def test_a_part_id_is_given_once(client: httpx.Client, part: Any) -> None:
    answer = client.post(URL, files=part, data={"part_id": "a"}, params={"part_id": "b"})
    assert (answer.status_code, answer.json()["code"]) == (400, "repeated_field")


@pytest.mark.parametrize("place", ["form", "query"])
def test_a_refusal_says_which_part(server: Any, part: Any, place: str) -> None:
    named = {"part_id": f" board-{place} "}
    how: dict[str, Any] = {"data": named} if place == "form" else {"params": named}
    with server.client() as client:
        told = client.post(URL, files=part | {"xyz": b"no cloud"}, **how).json()
        nameless = client.post(URL, files=part | {"xyz": b"no cloud"}).json()
    assert (told["code"], told["part"], told["part_id"]) == ("unsupported_type", "xyz", f"board-{place}")
    assert "part_id" not in nameless
    (line,) = [line for line in server.log if line.get("part_id") == f"board-{place}"]
    assert (line["code"], line["status"]) == ("unsupported_type", 415)


def test_a_part_named_in_the_query_is_named_before_its_body_is_read(client: httpx.Client, part: Any) -> None:
    for url, headers in (("/v1/products/nothing/score", {}), (URL, {"Accept": "text/plain"})):
        told = client.post(url, files=part, params={"part_id": "early"}, headers=headers).json()
        assert told["part_id"] == "early"


def test_a_raw_body_that_is_no_sample(client: httpx.Client, part: Any) -> None:
    assert client.post(URL, content=part["rgb"], headers=RAW).status_code == 415
    assert client.post(URL, content=b"", headers=RAW).json()["code"] == "no_body"
    assert client.post(URL, content=b"x" * 3_000_001, headers=RAW).status_code == 413


def test_a_threshold_for_one_request(server: Any, part: Any) -> None:
    with server.client() as client:
        options = {"threshold": 0.1, "part_id": "strict"}
        strict = client.post(URL, files=part, params=options).json()
        assert (strict["threshold"], strict["threshold_source"], strict["decision"]) == (
            0.1, "request", "defective",
        )  # fmt: skip
        usual = client.post(URL, files=part).json()
    assert (usual["threshold"], usual["threshold_source"], usual["decision"]) == (0.8, "calibration", "good")
    (line,) = [line for line in server.log if line.get("part_id") == "strict"]
    assert (line["threshold"], line["threshold_source"]) == (0.1, "request")


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("*/*", "application/json"),
        ("", "application/json"),
        ("text/html, image/*;q=0.8", "image/png"),
        ("application/json;q=0.1, application/ply", "application/ply"),
        ("application/json;q=0, */*", "image/png"),
        ("application/json; charset=utf-8", "application/json"),
    ],
)
def test_the_accept_header_chooses(client: httpx.Client, part: Any, accept: str, kind: str) -> None:
    answer = client.post(URL, files=part, headers={"Accept": accept})
    assert answer.headers["content-type"] == kind


def test_several_accept_headers_are_one_list(client: httpx.Client, part: Any) -> None:
    wishes = [("Accept", "application/json;q=0.1"), ("Accept", "application/ply")]
    assert client.post(URL, files=part, headers=wishes).headers["content-type"] == "application/ply"


@pytest.fixture
def depth_files(part: Any) -> dict[str, bytes]:
    depth = io.BytesIO()
    Image.fromarray(np.full((96, 128), 700, np.uint16)).save(depth, "PNG")
    return {"rgb": part["rgb"], "depth": depth.getvalue()}


@pytest.mark.parametrize(
    "camera",
    [
        {"fx": 500, "fy": 500, "cx": 64, "cy": 48},
        {"width": 128, "height": 96, "fx": 500, "fy": 500, "ppx": 64, "ppy": 48, "coeffs": [0, 0, 0, 0, 0]},
        {"intrinsic": {"width": 128, "height": 96, "intrinsic_matrix": [500, 0, 0, 0, 500, 0, 64, 48, 1]}},
        {"K": [500, 0, 64, 0, 500, 48, 0, 0, 1], "D": [0, 0, 0, 0, 0]},
    ],
    ids=["plain", "RealSense", "Open3D", "ROS"],
)
def test_depth_with_intrinsics(client: httpx.Client, depth_files: Any, camera: Any) -> None:
    answer = client.post(URL, files=depth_files, data={"intrinsics": json.dumps(camera)})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("more", "code", "field"),
    [
        ({"k1": 0}, "intrinsics_invalid", "intrinsics"),
        ({"D": [0.1]}, "intrinsics_invalid", "intrinsics"),
        ({"width": 96, "height": 128}, "size_mismatch", "depth"),
    ],
)
def test_depth_with_other_intrinsics(
    client: httpx.Client, depth_files: Any, more: Any, code: str, field: str
) -> None:
    camera = {"fx": 500, "fy": 500, "cx": 64, "cy": 48} | more
    answer = client.post(URL, files=depth_files, data={"intrinsics": json.dumps(camera)})
    assert answer.status_code == 422
    assert (answer.json()["code"], answer.json()["part"]) == (code, field)


def test_an_npz_sample(client: httpx.Client, sample: Any) -> None:
    body = npz(rgb=sample.rgb, xyz=sample.xyz)
    assert client.post(URL, files={"sample": body}).status_code == 200


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
    assert lines[0].keys() >= {"timestamp", "level", "product", "bank_version", "score", "threshold", "banks"}
    assert (lines[0]["valid_point_share"], lines[0]["regions"], lines[0]["status"]) == (1.0, 0, 200)
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


def test_77_a_deadline_of_the_client(
    serve: Any, strict_settings: Any, loader: Any, detector: Any, part: Any
) -> None:
    detector.before = lambda: time.sleep(0.3)
    with serve(strict_settings, loader) as running, running.client() as client:
        for deadline_ms, status in ((1, 504), (100, 504), (10_000, 200)):
            assert client.post(URL, files=part, params={"deadline_ms": deadline_ms}).status_code == status


def test_a_dead_owner_is_503_and_ends_the_server(
    serve: Any, strict_settings: Any, loader: Any, detector: Any, part: Any
) -> None:
    def die() -> None:
        raise SystemExit

    detector.before = die
    with serve(strict_settings, loader) as running, running.client() as client:
        answer = client.post(URL, files=part)
        assert (answer.status_code, answer.json()["code"]) == (503, "not_running")
        until(lambda: running.server.failed, "the server that ends")


def test_a_client_that_leaves_is_logged_499(
    serve: Any, strict_settings: Any, loader: Any, detector: Any, part: Any, form: bytes
) -> None:
    entered, go_on = threading.Event(), threading.Event()
    detector.before = lambda: (entered.set(), go_on.wait(60))
    head = b"POST /v1/products/cookie/score HTTP/1.1\r\nHost: localhost\r\n"
    head += b"Content-Type: multipart/form-data; boundary=b\r\n"
    with serve(strict_settings, loader) as running:
        with socket.create_connection((running.host, running.port), 60) as leaves:
            leaves.sendall(head + b"Content-Length: %d\r\n\r\n" % len(form) + form)
            assert entered.wait(60)
        until(lambda: any(line.get("status") == 499 for line in running.log), "the line of who left")
        go_on.set()
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
