"""What is declared about a part's files: each unit and each form gives the same sample and score."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import tifffile

from models.readers import read_part
from models.readers.product_folder import open_product_folder
from models.sample import Sample
from recipes.sensor import METRES, Sensor
from service.refusals import SensorChanged
from tests.service.conftest import png, tiff
from tests.waiting import until

URL = "/v1/products/cookie/score"
HEIGHT, WIDTH = 40, 48
PITCH = 0.0005
CAMERA = {"fx": 600.0, "fy": 600.0, "cx": 23.5, "cy": 19.5}
RGB = np.random.default_rng(5).integers(0, 200, (HEIGHT, WIDTH, 3), np.uint8)
DEPTH = np.full((HEIGHT, WIDTH), 5000, np.uint16)  # 0.1 mm
DEPTH[10:30, 12:36] = 4900
DEPTH[3, 4] = 0
Z = np.where(DEPTH, DEPTH, np.nan) * 1e-4
MAP = np.stack([*np.meshgrid(np.arange(WIDTH) * PITCH, np.arange(HEIGHT) * PITCH), Z], axis=2)
PINHOLE = np.stack(
    [Z * (np.arange(WIDTH) - 23.5) / 600, Z * (np.arange(HEIGHT)[:, None] - 19.5) / 600, Z], axis=2
)


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def npz(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def grey(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, array, photometric="minisblack")
    return file.getvalue()


def forms() -> dict[str, tuple[np.ndarray, dict[str, bytes], dict[str, Any]]]:
    """By name: the cloud in metres, the files, and what is declared about them."""
    found: dict[str, tuple[np.ndarray, dict[str, bytes], dict[str, Any]]] = {}
    for unit, metres in METRES.items():
        stored = (MAP / metres).astype(np.float32)
        pitches = {"x_pitch": PITCH / metres, "y_pitch": PITCH / metres}
        heights = {**pitches, "z_scale": 1e-4 / metres, "xyz_unit": unit}
        found[f"cloud in {unit}"] = MAP, {"xyz": tiff(stored)}, {"xyz_unit": unit}
        found[f"planes in {unit}"] = (
            MAP,
            {plane: grey(stored[..., axis]) for axis, plane in enumerate("xyz")},
            {"xyz_unit": unit},
        )
        found[f"heights in {unit}"] = MAP, {"xyz": grey(DEPTH)}, heights
    millimetres = {"x_pitch": PITCH * 1e3, "y_pitch": PITCH * 1e3, "xyz_unit": "mm"}
    bytes_map = np.where(DEPTH == 5000, 9, np.where(DEPTH == 4900, 4, 255)).astype(np.uint8)
    byte_words = {**millimetres, "z_scale": 2, "z_offset": 482, "invalid": 255}
    found["heights of 8 bits in PNG"] = MAP, {"xyz": png(bytes_map)}, byte_words
    found["heights of 16 bits in PNG"] = MAP, {"xyz": png(DEPTH)}, {**millimetres, "z_scale": 0.1}
    found["heights in NPY"] = MAP, {"xyz": npy((Z * 1e3).astype(np.float32))}, millimetres
    signed = np.where(DEPTH, DEPTH.astype(np.int32) - 5000, -32768).astype(np.int16)
    found["signed heights"] = (
        MAP,
        {"xyz": grey(signed)},
        {**millimetres, "z_scale": 0.1, "z_offset": 500},
    )
    found["heights as z"] = MAP, {"z": grey(DEPTH)}, {**millimetres, "z_scale": 0.1}
    tenths = {"intrinsics": {**CAMERA, "depth_scale": 1e-4}}
    found["depth in 0.1 mm"] = PINHOLE, {"depth": png(DEPTH)}, tenths
    float_depth = np.where(DEPTH, Z, 0).astype(np.float32)
    found["depth in metres"] = PINHOLE, {"depth": grey(float_depth)}, {"intrinsics": CAMERA}
    found["depth in inches"] = (
        PINHOLE,
        {"depth": grey(float_depth / np.float32(0.0254))},
        {"intrinsics": CAMERA, "xyz_unit": "inch"},
    )
    found["depth with its own no return"] = (
        PINHOLE,
        {"depth": png(np.where(DEPTH, DEPTH, 65535).astype(np.uint16))},
        {**tenths, "invalid": 65535},
    )
    return found


FORMS = forms()
RECORDED = {"rgb": png(RGB)}


def ending(content: bytes) -> str:
    return {b"\x89PNG": ".png", b"\x93NUM": ".npy"}.get(content[:4], ".tiff")


def text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def arrays_of(files: Mapping[str, bytes], words: Mapping[str, Any]) -> bytes:
    """The same part as NPZ."""
    from models.readers import read_cloud, read_depth

    arrays: dict[str, Any] = {"rgb": RGB}
    for name, content in files.items():
        arrays[name] = read_depth(content) if name == "depth" else read_cloud(content).xyz
    for name, value in words.items():
        arrays[name] = np.array(list(value.values()) if isinstance(value, dict) else value)
    return npz(**arrays)


@pytest.mark.parametrize("name", FORMS)
def test_a_form_is_the_same_in_an_upload_an_npz_a_folder_and_as_the_products(
    name: str, tmp_path: Path
) -> None:
    cloud, files, words = FORMS[name]
    declared = {word: text(value).encode() for word, value in words.items()}
    uploaded = read_part({**RECORDED, **files, **declared})
    valid = ~np.isnan(cloud).any(axis=2)
    valid &= cloud.any(axis=2)
    np.testing.assert_array_equal(uploaded.valid, valid)
    np.testing.assert_allclose(uploaded.xyz[valid], cloud[valid], rtol=2e-6, atol=2e-7)
    np.testing.assert_array_equal(uploaded.rgb, RGB)

    def same(other: Sample) -> None:
        np.testing.assert_array_equal(other.valid, uploaded.valid)
        np.testing.assert_allclose(other.xyz, uploaded.xyz, rtol=1e-6, atol=1e-9)
        assert other.xyz_unit == uploaded.xyz_unit

    same(read_part({"sample": arrays_of(files, words)}))
    for field, content in {**RECORDED, **files}.items():
        (tmp_path / field).mkdir()
        (tmp_path / field / f"000{ending(content)}").write_bytes(content)
    (tmp_path / "sensor.json").write_text(json.dumps(words))
    folder = open_product_folder(tmp_path)
    assert folder.skipped == ()
    same(folder.train[0].read())
    same(read_part({**RECORDED, **files}, folder.sensor))


@pytest.mark.parametrize("name", ["cloud in mm", "planes in inch", "heights in um", "depth in 0.1 mm"])
def test_a_form_has_the_same_score_in_an_upload_an_npz_and_a_batch(name: str, client: httpx.Client) -> None:
    _, files, words = FORMS[name]
    data = {word: text(value) for word, value in words.items()}
    answer = client.post(URL, files={**RECORDED, **files}, data=data)
    assert answer.status_code == 200, answer.text
    raw = client.post(
        URL,
        content=arrays_of(files, {word: value for word, value in words.items() if word != "xyz_unit"}),
        headers={"Content-Type": "application/octet-stream"},
        params={"xyz_unit": words["xyz_unit"]} if "xyz_unit" in words else {},
    )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for field, content in {**RECORDED, **files}.items():
            archive.writestr(f"{field}/1{ending(content)}", content)
        archive.writestr("sensor.json", json.dumps(words))
    batch = client.post(
        "/v1/products/cookie/batch", content=packed.getvalue(), headers={"Content-Type": "application/zip"}
    )
    expected = answer.json()
    assert expected["xyz_unit"] == words.get("xyz_unit")
    for other in (raw.json(), json.loads(batch.text)):
        assert (other["score"], other["xyz_unit"]) == (expected["score"], expected["xyz_unit"])
        assert other["valid_point_share"] == expected["valid_point_share"]


@pytest.mark.parametrize(
    ("files", "data", "status", "code", "field"),
    [
        ({"xyz": grey(DEPTH)}, {}, 422, "xyz_shape", "xyz"),
        ({"z": grey(DEPTH)}, {}, 422, "xyz_shape", "z"),
        ({"xyz": grey(DEPTH)}, {"x_pitch": "0.1"}, 422, "sensor_invalid", "y_pitch"),
        ({"xyz": tiff(MAP.astype(np.float32))}, {"xyz_unit": "cm"}, 422, "sensor_invalid", "xyz_unit"),
        ({"depth": png(DEPTH)}, {}, 422, "missing_field", "intrinsics"),
        ({"x": grey(DEPTH), "y": grey(DEPTH)}, {}, 422, "missing_field", "z"),
        ({"x": grey(DEPTH), "y": grey(DEPTH[1:]), "z": grey(DEPTH)}, {}, 422, "xyz_shape", "z"),
    ],
)
def test_what_is_missing_or_wrong_is_named(
    files: dict[str, bytes],
    data: dict[str, str],
    status: int,
    code: str,
    field: str,
    client: httpx.Client,
) -> None:
    answer = client.post(URL, files={**RECORDED, **files}, data=data)
    assert (answer.status_code, answer.json()["code"], answer.json()["part"]) == (status, code, field)
    if code == "xyz_shape" and "x" not in files:
        assert "x_pitch" in answer.json()["detail"]


def test_a_unit_in_the_query_and_in_the_form(client: httpx.Client) -> None:
    files = {**RECORDED, "xyz": tiff(MAP.astype(np.float32))}
    twice = client.post(URL, files=files, data={"xyz_unit": "m"}, params={"xyz_unit": "m"})
    assert (twice.status_code, twice.json()["code"]) == (400, "repeated_field")
    stored = {"rgb": RGB, "xyz": MAP.astype(np.float32), "xyz_unit": "m"}
    contradicted = client.post(
        URL,
        content=npz(**stored),
        headers={"Content-Type": "application/octet-stream"},
        params={"xyz_unit": "mm"},
    )
    assert (contradicted.status_code, contradicted.json()["code"]) == (422, "unit_contradicted")


@pytest.mark.parametrize(("height", "width", "scale"), [(80, 96, 2.0), (60, 72, 1.5), (35, 42, 0.875)])
def test_an_image_of_another_size_is_registered_by_scale_if_that_is_declared(
    height: int, width: int, scale: float, client: httpx.Client
) -> None:
    image = np.zeros((height, width, 3), np.uint8)
    image[: height // 2, : width // 4] = 200
    files = {
        "rgb": png(image),
        "xyz": tiff(MAP.astype(np.float32)),
    }
    refused = client.post(URL, files=files)
    assert (refused.status_code, refused.json()["code"]) == (422, "size_mismatch")
    assert "registration=scaled" in refused.json()["detail"]
    answer = client.post(URL, files=files, data={"registration": "scaled"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["image_scale"] == {"x": scale, "y": scale}
    sample = read_part(files, Sensor(registration="scaled"))
    assert sample.rgb.shape == sample.xyz.shape
    assert (sample.rgb[:18, :10] == 200).all()
    assert not sample.rgb[22:].any()
    assert not sample.rgb[:, 14:].any()


def test_sizes_of_different_fields_of_view_are_refused_even_if_declared_as_scaled(
    client: httpx.Client,
) -> None:
    files = {"rgb": png(RGB[:, :40]), "xyz": tiff(MAP.astype(np.float32))}
    refused = client.post(URL, files=files, data={"registration": "scaled"})
    assert (refused.status_code, refused.json()["code"]) == (422, "size_mismatch")


def test_a_version_with_another_sensor_scores_no_part_that_was_decoded_before(
    serve: Any, strict_settings: Any, make_detector: Any, make_loader: Any
) -> None:
    old, new = make_detector(version="v1"), make_detector(version="v2")
    new.manifest = new.manifest.model_copy(update={"sensor": Sensor(xyz_unit="mm")})
    loader = make_loader(old, new)
    loader.shadows["cookie"] = "v2"
    files = {**RECORDED, "xyz": tiff(MAP.astype(np.float32))}
    with serve(strict_settings, loader) as running, running.client() as client:
        until(lambda: client.get("/v1/products/cookie").json()["shadow_version"] == "v2", "the shadow")
        assert "v2" in client.get("/v1/products/cookie").json()["note"]
        first = client.post(URL, files=files)
        assert first.json()["xyz_unit"] == "m"
        engine = running.app.state.shared.engine
        sample = read_part(files)
        loader.shadows.clear()
        loader.actives["cookie"] = "v2"
        until(lambda: engine.products()["cookie"].detector is new, "the new version")
        with pytest.raises(SensorChanged):
            engine.submit("cookie", sample, deadline=time.monotonic() + 60).result(60)
        assert client.post(URL, files=files).json()["xyz_unit"] == "mm"
        assert not [line for line in running.log if line.get("event") == "part_shadowed"]
