"""/v2 with the protocol's own client, unmodified, and with requests that it would never send."""

from __future__ import annotations

import gzip
import json
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from models.sample import Sample
from service.http.codes import CODES
from service.http.keys import Keys
from service.settings import Settings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of what the client imports
    import tritonclient.http as triton

URL = "/v2/models/cookie/infer"
RAW = {"Content-Type": "application/octet-stream"}


@pytest.fixture
def robot(server: Any) -> Iterator[Any]:
    """The client as another inference server's user has it."""
    client = triton.InferenceServerClient(f"{server.host}:{server.port}")
    yield client
    client.close()


def inputs(sample: Sample, *, binary: bool = True) -> list[Any]:
    tensors = [
        triton.InferInput("rgb", list(sample.rgb.shape), "UINT8"),
        triton.InferInput("xyz", list(sample.xyz.shape), "FP32"),
    ]
    tensors[0].set_data_from_numpy(sample.rgb, binary_data=binary)
    tensors[1].set_data_from_numpy(sample.xyz, binary_data=binary)
    return tensors


def asked(sample: Sample, **more: Any) -> tuple[bytes, dict[str, str]]:
    """A binary request as body and headers."""
    tensors = (("rgb", "UINT8", sample.rgb), ("xyz", "FP32", sample.xyz))
    head = {
        "inputs": [
            {
                "name": name,
                "datatype": datatype,
                "shape": array.shape,
                "parameters": {"binary_data_size": array.nbytes},
            }
            for name, datatype, array in tensors
        ]
    }
    text = json.dumps(head | more).encode()
    return text + sample.rgb.tobytes() + sample.xyz.tobytes(), RAW | {
        "Inference-Header-Content-Length": str(len(text))
    }


def test_the_client_sees_server_and_models(robot: Any) -> None:
    assert robot.is_server_live()
    assert robot.is_server_ready()
    assert robot.is_model_ready("cookie")
    assert robot.is_model_ready("cookie", "v1")
    assert not robot.is_model_ready("cookie", "v9")
    assert not robot.is_model_ready("biscuit")
    assert robot.get_server_metadata()["extensions"] == ["binary_tensor_data"]
    metadata = robot.get_model_metadata("cookie", "v1")
    assert (metadata["name"], metadata["versions"]) == ("cookie", ["v1"])
    assert metadata["inputs"] == [
        {"name": "rgb", "datatype": "UINT8", "shape": [-1, -1, 3]},
        {"name": "xyz", "datatype": "FP32", "shape": [-1, -1, 3]},
    ]
    assert [(o["name"], o["datatype"], o["shape"]) for o in metadata["outputs"]] == [
        ("score", "FP32", [1]),
        ("threshold", "FP32", [1]),
        ("decision", "BYTES", [1]),
        ("map", "FP32", [-1, -1]),
        ("relative_score", "FP32", [1]),
        ("result", "BYTES", [1]),
    ]
    with pytest.raises(triton.InferenceServerException) as caught:
        robot.get_model_metadata("biscuit")
    assert caught.value.status() == "404"


@pytest.mark.parametrize("binary", [True, False], ids=["binary", "json"])
@pytest.mark.parametrize("coding", [None, "gzip", "deflate"])
def test_the_client_scores_a_part_as_v1_does(
    robot: Any, client: httpx.Client, part: Any, sample: Sample, binary: bool, coding: str | None
) -> None:
    wanted = [triton.InferRequestedOutput(name, binary_data=binary) for name in ("map", "score", "decision")]
    result = robot.infer(
        "cookie",
        inputs(sample, binary=binary),
        model_version="v1",
        outputs=wanted,
        request_id="board-7",
        request_compression_algorithm=coding,
        response_compression_algorithm=coding,
        timeout=20_000_000,
        query_params={"threshold": 0.1},
    )
    same = client.post("/v1/products/cookie/score", files=part, headers={"Accept": "application/x-npy"})
    assert result.as_numpy("score").tolist() == [pytest.approx(float(same.headers["tribank-score"]))]
    assert result.as_numpy("decision").tolist() == [b"defective" if binary else "defective"]
    assert result.as_numpy("map").shape == (96, 128)
    assert result.as_numpy("map").dtype == np.float32
    assert result.as_numpy("threshold") is None
    answer = result.get_response()
    assert (answer["id"], answer["model_name"], answer["model_version"]) == ("board-7", "cookie", "v1")
    assert [output["name"] for output in answer["outputs"]] == ["map", "score", "decision"]


@pytest.mark.parametrize("binary", [True, False], ids=["binary", "json"])
def test_the_client_gets_relative_score_and_regions_as_v1_says_them(
    robot: Any, client: httpx.Client, bad_part: dict[str, bytes], bad_sample: Sample, binary: bool
) -> None:
    names = ("relative_score", "result")
    wanted = [triton.InferRequestedOutput(name, binary_data=binary) for name in names]
    got = robot.infer("cookie", inputs(bad_sample, binary=binary), outputs=wanted)
    same = client.post("/v1/products/cookie/score", files=bad_part).json()
    told = json.loads(got.as_numpy("result")[0])
    assert told["regions"] == same["regions"] != []
    assert told["banks"] == same["banks"]
    assert got.as_numpy("relative_score").tolist() == [pytest.approx(same["relative_score"])]


def test_four_outputs_when_none_is_named(robot: Any, client: httpx.Client, sample: Sample) -> None:
    result = robot.infer("cookie", inputs(sample))
    assert result.as_numpy("threshold").tolist() == [pytest.approx(0.8)]
    assert result.as_numpy("decision").tolist() == [b"good"]
    body, headers = asked(sample)
    answer = client.post(URL, content=body, headers=headers)
    assert answer.headers["content-type"] == "application/json"
    assert "inference-header-content-length" not in answer.headers
    outputs = {output["name"]: output for output in answer.json()["outputs"]}
    assert list(outputs) == ["score", "threshold", "decision", "map"]
    assert outputs["decision"]["data"] == ["good"]
    assert outputs["map"]["shape"] == [96, 128]
    np.testing.assert_array_equal(np.float32(outputs["map"]["data"]), np.ravel(result.as_numpy("map")))


def test_null_is_no_return(client: httpx.Client, sample: Sample) -> None:
    xyz: Any = sample.xyz.tolist()
    xyz[0][0] = [None, None, None]
    body = {
        "inputs": [
            {"name": "rgb", "datatype": "UINT8", "shape": sample.rgb.shape, "data": sample.rgb.tolist()},
            {"name": "xyz", "datatype": "FP32", "shape": sample.xyz.shape, "data": xyz},
        ],
        "outputs": [{"name": "decision"}],
    }
    assert client.post(URL, json=body).json()["outputs"][0]["data"] == ["good"]


def test_what_cannot_be_used_is_refused_in_the_protocols_form(
    client: httpx.Client, server: Any, sample: Sample
) -> None:
    body, headers = asked(sample)
    long = headers | {"Inference-Header-Content-Length": "99999999"}
    rgb = {"name": "rgb", "datatype": "UINT8", "shape": [32, 32, 3], "data": [0] * 3072}
    xyz = {"name": "xyz", "datatype": "FP32", "shape": [32, 32, 3], "data": [0.5] * 3072}
    bomb = gzip.compress(bytes(4_000_000))

    def told(*tensors: Any, **more: Any) -> dict[str, Any]:
        return {"content": json.dumps({"inputs": tensors} | more).encode()}

    cases: list[tuple[int, dict[str, Any]]] = [
        (400, {"content": b"{"}),
        (400, {"content": b"[" * 100_000}),
        (400, {"content": b""}),
        (415, {"content": b"{}", "headers": {"Content-Type": "text/plain"}}),
        (415, {"content": b"{}", "headers": {"Content-Encoding": "br"}}),
        (400, {"content": b"{}", "headers": {"Content-Encoding": "gzip"}}),
        (400, {"content": zlib.compress(b"{}")[:-2], "headers": {"Content-Encoding": "deflate"}}),
        (413, {"content": bomb, "headers": {"Content-Encoding": "gzip"}}),
        (413, {"content": bytes(3_000_001)}),
        (400, {"content": body, "headers": long}),
        (400, {"content": body, "headers": RAW | {"Inference-Header-Content-Length": "-1"}}),
        (400, {"content": body + b"x", "headers": headers}),
        (400, {"content": body[:-1], "headers": headers}),
        (400, told(rgb, rgb, xyz)),
        (400, told(rgb, xyz | {"name": "depth"})),
        (400, told(rgb, xyz | {"datatype": "FP64"})),
        (400, told(rgb, xyz | {"shape": [32, 32]})),
        (400, told(rgb, xyz | {"shape": [32, -32, 3]})),
        (400, told(rgb, xyz | {"shape": [32, 33, 3]})),
        (400, told(rgb, xyz | {"data": ["x" * 100] * 3072})),
        (400, told(rgb, xyz | {"data": [[0.5], 1]})),
        (400, told(rgb, {name: value for name, value in xyz.items() if name != "data"})),
        (400, told(rgb | {"data": [256] * 3072}, xyz)),
        (400, told(rgb | {"data": [0.5] * 3072}, xyz)),
        (400, told(rgb | {"data": [10**400] * 3072}, xyz)),
        (400, told(rgb, xyz, outputs=[{"name": "masks"}])),
        (400, told(rgb, xyz, outputs=[{"name": "map"}, {"name": "map"}])),
        (400, told(rgb, xyz, outputs=[{"name": "score", "parameters": {"classification": 2}}])),
        (400, told(rgb, xyz, parameters={"timeout": -1})),
        (400, told(rgb, xyz, parameters={"timeout": "soon"})),
        (400, told(rgb, xyz, parameters={"timeout": float("nan")})),
        (422, told(xyz, parameters={"timeout": 10**400})),
        (413, told(rgb | {"shape": [2**40, 2**40, 3]}, xyz)),
        (422, told(xyz)),
        (422, told(rgb | {"shape": [16, 64, 3]}, xyz)),
        (422, told(rgb | {"shape": [64, 48, 1 + 2], "data": [0] * 9216}, xyz)),
        (422, told(rgb, xyz | {"data": [1e30] * 3072})),
        (422, told(rgb, xyz, id="x" * 200)),
        (422, told(rgb | {"shape": [64, 48, 3], "data": [0] * 9216}, xyz, id="small")),
        (504, told(rgb, xyz, parameters={"timeout": 1})),
    ]
    for status, request in cases:
        answer = client.post(URL, **request)
        assert answer.status_code == status, (request["content"][:200], request.get("headers"), answer.text)
        assert list(answer.json()) == ["error"]
        assert answer.headers["content-type"] == "application/json"
    for path in ("/v2/models/cookie/versions/v9/infer", "/v2/models/nothing/infer", "/v2/nothing"):
        answer = client.post(path, content=b"{}")
        assert (answer.status_code, list(answer.json())) == (404, ["error"])
        assert answer.headers["tribank-code"] in CODES
    assert client.get(URL).status_code == 405
    refused = {line.get("part_id"): line.get("code") for line in server.log}
    assert refused["small"] == "size_mismatch"
    late = client.post(URL, content=body, headers=headers, params={"deadline_ms": "x"})
    assert (late.status_code, list(late.json())) == (422, ["error"])


def test_a_part_whose_version_was_replaced_meanwhile_is_refused_and_not_counted_as_scored(
    serve: Callable[..., Any], loader: Any, detector: Any, sample: Sample, strict_settings: Settings
) -> None:
    body, headers = asked(sample)
    with serve(strict_settings, loader) as running, running.client() as client:
        detector.before = lambda: setattr(detector, "version", "v2")
        url = "/v2/models/cookie/versions/v1/infer"
        answer = client.post(url, content=body, headers=headers)
        assert (answer.status_code, answer.headers["tribank-code"]) == (404, "not_active")
        told = client.get("/metrics").text
    assert 'tribank_part_refusals_total{code="not_active",product="cookie"} 1.0' in told
    assert "tribank_parts_total{" not in told


def test_keys_are_asked_for_here_too(
    serve: Callable[..., Any], loader: Any, sample: Sample, tmp_path: Path
) -> None:
    secret = Keys(tmp_path).add("robot", "score")
    with serve(Settings(banks=tmp_path / "banks"), loader, state=tmp_path) as running:
        robot = triton.InferenceServerClient(f"{running.host}:{running.port}")
        assert robot.is_server_ready()
        with pytest.raises(triton.InferenceServerException) as caught:
            robot.infer("cookie", inputs(sample))
        assert caught.value.status() == "401"
        result = robot.infer("cookie", inputs(sample), headers={"Authorization": f"Bearer {secret}"})
        assert result.as_numpy("decision") == [b"good"]
        robot.close()


def test_bytes_have_their_length_before_them(client: httpx.Client, sample: Sample) -> None:
    body, headers = asked(sample, outputs=[{"name": "decision", "parameters": {"binary_data": True}}])
    answer = client.post(URL, content=body, headers=headers)
    length = int(answer.headers["inference-header-content-length"])
    assert json.loads(answer.content[:length])["outputs"][0]["parameters"] == {"binary_data_size": 8}
    assert answer.content[length:] == struct.pack("<I", 4) + b"good"
