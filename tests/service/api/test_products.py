from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import httpx

from banks.versions.store import BankStore
from service.answers.renderers import RENDERERS
from service.settings import Settings
from tests.conftest import SMALL


def test_products_and_their_calibration_in_counts_of_parts(client: httpx.Client) -> None:
    listed = client.get("/v1/products").json()["products"]
    assert {"product": "cookie", "state": "serving", "bank_version": "v1"} in listed
    shown = client.get("/v1/products/cookie").json()
    assert shown["calibration"]["held_out_parts"] == 3
    assert shown["calibration"]["statement"].startswith("rejects 0 of 3 held-out good parts")


def test_a_product_is_created_and_deleted(
    serve: Any, small_banks: Path, small_product: Path, tmp_path: Path
) -> None:
    shutil.copytree(small_banks, tmp_path / "banks")
    good = small_product / "test/good"
    part = {"rgb": (good / "rgb/000.png").read_bytes(), "xyz": (good / "xyz/000.tiff").read_bytes()}
    settings = Settings(banks=tmp_path / "banks", deadline_s=120)
    with serve(settings, None) as running, running.client() as client:
        made = client.put("/v1/products/tile")
        empty = {"product": "tile", "state": "empty"}
        assert (made.status_code, made.json()) == (201, empty | {"versions": []})
        assert client.get("/v1/products/tile").json() == made.json()
        assert client.get("/v1/products/tile/versions").json()["versions"] == []
        assert [one["product"] for one in client.get("/v1/products").json()["products"]] == [SMALL, "tile"]
        assert client.post("/v1/products/tile/score", files=part).json()["code"] == "unknown_product"
        for name, code in (
            ("tile", "product_exists"),
            (SMALL, "product_exists"),
            ("Tile", "invalid_product"),
        ):
            assert client.put(f"/v1/products/{name}").json()["code"] == code
        url = f"/v1/products/{SMALL}"
        scored = client.post(f"{url}/score", files=part).json()
        for query, code in (({}, "invalid_parameter"), ({"confirm": "tile"}, "not_confirmed")):
            assert client.delete(url, params=query).json()["code"] == code
        store = BankStore(settings.banks)
        sure = {"confirm": SMALL}
        with store.building(SMALL):
            assert client.delete(url, params=sure).json()["code"] == "product_in_use"
        job = running.app.state.shared.jobs.store.add("build", SMALL, {})
        assert client.delete(url, params=sure).json()["code"] == "product_in_use"
        client.post(f"/v1/jobs/{job.id}/cancel").raise_for_status()
        assert client.delete(url, params=sure).status_code == 204
        assert client.get("/v1/products").json()["products"] == [empty]
        assert client.get(url).json()["code"] == "unknown_product"
        assert client.post(f"{url}/score", files=part).json()["code"] == "unknown_product"
        assert client.delete(url, params=sure).status_code == 404
        assert client.get(f"/v1/results/{scored['result_id']}").json()["product"] == SMALL
        assert 'tribank_resident_bytes{product="biscuit"}' not in client.get("/metrics").text
        assert store.folders() == ["tile"]


def test_alive_and_ready(client: httpx.Client) -> None:
    assert client.get("/healthz").json() == {"status": "alive"}
    ready = client.get("/readyz").json()
    assert (ready["status"], ready["device"]) == ("ready", "cpu")


def test_no_bank_is_not_ready(serve: Any, strict_settings: Any) -> None:
    with serve(strict_settings, None, wait=False) as running, running.client() as client:
        answer = client.get("/readyz")
        assert answer.status_code == 503
        assert "Retry-After" in answer.headers


def test_the_document_is_whole(client: httpx.Client) -> None:
    document = client.get("/openapi.json").json()
    assert {"Problem", "ScoreAnswer"} <= set(document["components"]["schemas"])
    text = str(document)
    assert "HTTPValidationError" not in text
    answers = document["paths"]["/v1/products/{product}/score"]["post"]["responses"]
    assert set(answers["200"]["content"]) == set(RENDERERS)
