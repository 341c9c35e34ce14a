from __future__ import annotations

from typing import Any

import httpx

from service.answers.renderers import RENDERERS


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
