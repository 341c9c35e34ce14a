from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from banks.methods.memory_bank.bank import MemoryBank
from banks.versions.store import BankStore
from service.answers.renderers import RENDERERS
from service.api.products import StoreLoader
from service.engine.detectors import Size
from tests.conftest import SMALL


def test_products_and_their_calibration_in_counts_of_parts(client: httpx.Client) -> None:
    listed = client.get("/v1/products").json()["products"]
    assert listed == [{"product": "cookie", "state": "serving", "bank_version": "v1"}]
    shown = client.get("/v1/products/cookie").json()
    assert shown["calibration"]["held_out_parts"] == 3
    assert shown["calibration"]["statement"].startswith("rejects 0 of 3 held-out good parts")


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


def test_the_size_is_that_of_the_rows_in_memory_whatever_the_file_holds(
    small_banks: Path, tmp_path: Path
) -> None:
    shutil.copytree(small_banks, tmp_path, dirs_exist_ok=True)
    loader = StoreLoader(BankStore(tmp_path), device="cpu", weights=tmp_path)
    whole = loader.size(SMALL, "v1")
    rows = 0
    for file in (tmp_path / SMALL / "v1").glob("*.faiss"):
        bank = MemoryBank.from_bytes(file.read_bytes())
        rows += bank.rows.nbytes
        half = MemoryBank.of(np.array(bank.rows), precision="float16").to_bytes()
        assert len(half) < 0.6 * file.stat().st_size
        file.write_bytes(half)
    assert rows < whole.banks
    assert whole.networks, "the networks count apart: products share them"
    assert loader.size(SMALL, "v1") == whole
    assert loader.size(SMALL, "v9") == Size()
