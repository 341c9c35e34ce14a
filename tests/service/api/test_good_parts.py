"""Pictures of good parts, from a real version, through a real server."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from banks.versions.builder import PARTS
from banks.versions.manifest import Manifest
from models.preparation.prepare import prepare
from models.readers.product_folder import open_product_folder
from service.settings import Settings
from tests.conftest import SMALL

URL = f"/v1/products/{SMALL}/versions/v1/good-part"


@pytest.fixture(scope="module")
def client(small_banks: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    from tests.service.conftest import serving

    banks = tmp_path_factory.mktemp("pictures") / "banks"
    shutil.copytree(small_banks, banks)
    shutil.copytree(banks / SMALL / "v1", banks / SMALL / "v2")
    shutil.rmtree(banks / SMALL / "v2" / "parts")
    for version in ("v3", "v4"):
        shutil.copytree(banks / SMALL / "v1", banks / SMALL / version)
    index = banks / SMALL / "v3" / PARTS / "train" / "parts.safetensors"
    index.write_bytes(index.read_bytes()[:-1])
    index = banks / SMALL / "v4" / PARTS / "train" / "parts.safetensors"
    index.write_bytes(index.read_bytes().replace(b"\xff\xd8\xff", b"%!P"))
    settings = Settings(banks=banks, load="first-use")
    with serving(settings, None, wait=False) as running, running.client() as client:
        yield client


def _pixels(answer: httpx.Response) -> np.ndarray:
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
    with Image.open(io.BytesIO(answer.content)) as picture:
        return np.asarray(picture).astype(int)


def test_a_part_as_it_was_prepared_and_a_piece_of_it(
    client: httpx.Client, small_product: Path, small_banks: Path
) -> None:
    part = open_product_folder(small_product).train[3]
    expected = prepare(part.read(), Manifest.read(small_banks / SMALL / "v1").profile.preparation).rgb.astype(
        int
    )
    side = len(expected)
    whole = _pixels(client.get(URL, params={"part": part.name}))
    assert np.abs(whole - expected).mean() < 4
    held_out = open_product_folder(small_product).validation[0].name
    assert _pixels(client.get(URL, params={"part": held_out})).shape == whole.shape
    piece = _pixels(client.get(URL, params={"part": part.name, "x": 0.5, "y": 0.25, "side": 0.25}))
    assert np.abs(piece - expected[side // 8 : side * 3 // 8, side * 3 // 8 : side * 5 // 8]).mean() < 6
    corner = _pixels(client.get(URL, params={"part": part.name, "x": 1, "y": 0}))
    assert np.abs(corner - expected[: side // 4, side * 3 // 4 :]).mean() < 6


def test_pictures_that_there_are_not(client: httpx.Client) -> None:
    part = {"part": "train/good/000"}
    cases: list[tuple[str, dict[str, Any], int, str]] = [
        (URL, {"part": "../../../manifest.json"}, 404, "unknown_part"),
        (URL, {}, 422, "invalid_parameter"),
        (URL, part | {"side": 0}, 422, "invalid_parameter"),
        (URL.replace("v1/good", "v7/good"), part, 404, "unknown_version"),
        (URL.replace("v1/good", "v2/good"), part, 409, "parts_not_kept"),
        (URL.replace("v1/good", "v3/good"), part, 409, "bank_damaged"),
        (URL.replace("v1/good", "v4/good"), part | {"x": 0.5, "y": 0.5}, 409, "bank_damaged"),
    ]
    for url, params, status, code in cases:
        answer = client.get(url, params=params)
        assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_what_a_part_was_compared_with_can_be_seen(
    serve: Callable[..., Any], small_banks: Path, small_product: Path, tmp_path: Path
) -> None:
    shutil.copytree(small_banks, tmp_path / "banks")
    good = small_product / "test/good"
    part = {"rgb": (good / "rgb/000.png").read_bytes(), "xyz": (good / "xyz/000.tiff").read_bytes()}
    with serve(Settings(banks=tmp_path / "banks"), None) as running, running.client() as client:
        answer = client.post(f"/v1/products/{SMALL}/score", files=part).json()
        for evidence in answer["evidence"].values():
            x, y = evidence["place"]["x"], evidence["place"]["y"]
            query = {"part": evidence["training_part"], "x": x, "y": y}
            _pixels(client.get(URL, params=query))
