from __future__ import annotations

import hashlib
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from banks.decision.drift import LEAST
from banks.versions.store import BankStore
from service.answers.renderers import RENDERERS
from service.settings import Settings
from tests.conftest import SMALL


def test_products_and_their_calibration_in_counts_of_parts(client: httpx.Client) -> None:
    listed = client.get("/v1/products").json()["products"]
    (cookie,) = [one for one in listed if one["product"] == "cookie"]
    assert cookie.pop("relative_threshold") == pytest.approx(1.0)
    cookie.pop("drift", None)  # told once other tests have sent enough parts
    assert cookie == {
        **{"product": "cookie", "state": "serving", "degraded": False},
        **{"bank_version": "v1", "active_version": "v1", "threshold": 0.8},
    }
    shown = client.get("/v1/products/cookie").json()
    assert shown["calibration"]["held_out_parts"] == 3
    assert shown["calibration"]["statement"].startswith("rejects 0 of 3 held-out good parts")


def test_a_product_tells_what_differs_between_servers(
    serve: Any, small_banks: Path, make_loader: Any, make_detector: Any, part: dict[str, bytes]
) -> None:
    """The digest is the version's on disk, drift comes with enough parts, and a product that is not in memory
    tells of its active version by the disk."""
    manifest = small_banks / SMALL / "v1" / "manifest.json"
    digest = hashlib.sha256(manifest.read_bytes()).hexdigest()
    since = datetime.fromtimestamp((small_banks / SMALL / "current").stat().st_mtime, UTC)
    url = f"/v1/products/{SMALL}"
    with (
        serve(Settings(banks=small_banks), make_loader(make_detector(SMALL))) as running,
        running.client() as client,
    ):
        for _ in range(LEAST):
            assert "drift" not in client.get(url).json()
            client.post(f"{url}/score", files=part).raise_for_status()
        shown, (listed,) = client.get(url).json(), client.get("/v1/products").json()["products"]
    assert listed.items() <= shown.items()
    assert (listed["digest"], listed["drift"]["parts"]) == (digest, LEAST)
    assert datetime.fromisoformat(listed["active_since"]) == since
    with (
        serve(Settings(banks=small_banks, load="first-use"), None) as running,
        running.client() as client,
    ):
        (listed,) = client.get("/v1/products").json()["products"]
        (version,) = client.get(f"{url}/versions").json()["versions"]
    assert (listed["state"], listed["active_version"], listed["digest"]) == ("idle", "v1", digest)
    assert "bank_version" not in listed
    assert listed["threshold"] == version["calibration"]["threshold"]
    assert version["digest"] == digest


def test_a_product_is_created_and_deleted(
    serve: Any, small_banks: Path, small_product: Path, tmp_path: Path
) -> None:
    shutil.copytree(small_banks, tmp_path / "banks")
    good = small_product / "test/good"
    part = {"rgb": (good / "rgb/000.png").read_bytes(), "xyz": (good / "xyz/000.tiff").read_bytes()}
    settings = Settings(banks=tmp_path / "banks", deadline_s=120)
    with serve(settings, None) as running, running.client() as client:
        made = client.put("/v1/products/tile")
        empty = {"product": "tile", "state": "empty", "degraded": False}
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
        for name in (SMALL, "Biscuit"):
            gone = client.delete(f"/v1/products/{name}", params={"confirm": name})
            assert (gone.status_code, gone.json()["code"]) == (404, "unknown_product")
        assert client.get(f"/v1/results/{scored['result_id']}").json()["product"] == SMALL
        assert 'tribank_resident_bytes{product="biscuit"}' not in client.get("/metrics").text
        assert store.folders() == ["tile"]


def test_a_product_whose_folder_cannot_be_read_is_refused_with_the_reason(
    serve: Any, make_loader: Any, make_detector: Any, tmp_path: Path
) -> None:
    (tmp_path / "cookie").symlink_to("cookie")
    running = serve(Settings(banks=tmp_path), make_loader(make_detector()))
    with running as served, served.client() as client:
        refused = client.get("/v1/products/cookie")
    assert (refused.status_code, refused.json()["code"]) == (409, "bank_damaged")


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
