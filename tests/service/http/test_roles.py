"""Who may do what: every route of the API's document, by every role, at a real server."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.http.keys import Keys
from service.http.roles import ROLES, includes, is_within, role_for
from service.settings import Settings
from tests.service.document import document

ABOVE_READ = {
    "score": {
        "POST /v1/products/{product}/score",
        "POST /v1/products/{product}/batch",
        "POST /v2/models/{product}/infer",
        "POST /v2/models/{product}/versions/{version}/infer",
        "POST /v1/jobs/{job_id}/cancel",
    },
    "label": {"PUT /v1/results/{result_id}/feedback", "DELETE /v1/results/{result_id}/feedback"},
}
OPERATIONS = {
    f"{method.upper()} {path}": operation.get("x-role")
    for path, operations in document()["paths"].items()
    for method, operation in operations.items()
}


def headers(secret: str) -> dict[str, str]:
    return {"X-API-Key": secret}


def address(path: str, product: str = "cookie") -> str:
    """A path of the document as a client calls it."""
    return re.sub(r"{\w+}", "none", path.replace("{product}", product))


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """One key of each role, and one of role manage for other products than the server's."""
    state = tmp_path_factory.mktemp("state")
    keys = Keys(state)
    made = {role: keys.add(role, role) for role in ROLES}
    made["others"] = keys.add("others", "manage", products=["tile", "cap"])
    return made | {"state": str(state)}


@pytest.fixture(scope="module")
def client(secrets: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    from tests.service.conftest import BrightnessDetector, OneProduct, serving

    loader = OneProduct(BrightnessDetector("cookie"), BrightnessDetector("tile"))
    settings = Settings(banks=tmp_path_factory.mktemp("banks"))
    with ExitStack() as held:
        running = held.enter_context(serving(settings, loader, state=Path(secrets["state"])))
        yield held.enter_context(running.client())


def asked(client: httpx.Client, method: str, path: str, secret: str) -> httpx.Response:
    """The answer; of a stream of events, which has no end, its head alone."""
    with client.stream(method, path, headers=headers(secret)) as answer:
        if path != "/v1/results/events" or answer.status_code != 200:
            answer.read()
        return answer


def test_each_route_needs_the_role_that_the_document_says() -> None:
    for operation, role in OPERATIONS.items():
        method = operation.partition(" ")[0]
        expected = "read" if method == "GET" else "manage"
        expected = next((name for name, found in ABOVE_READ.items() if operation in found), expected)
        assert role in (expected, None), operation
    assert {operation for operation, role in OPERATIONS.items() if role is None} == {
        f"GET {path}" for path in ("/healthz", "/readyz", "/v2/health/live", "/v2/health/ready")
    }
    assert role_for("POST", "/v1/products/cookie/a-future-route") == "manage"


@pytest.mark.parametrize("role", ROLES)
def test_a_key_may_do_what_its_role_includes(
    client: httpx.Client, secrets: dict[str, str], role: Any
) -> None:
    for operation, needed in OPERATIONS.items():
        method, path = operation.split()
        answer = asked(client, method, address(path), secrets[role])
        allowed = needed is None or includes(role, needed)
        if allowed:
            assert answer.status_code not in (401, 403), operation
        else:
            assert (answer.status_code, answer.headers["content-type"]) == (
                403,
                "application/json" if path.startswith("/v2") else "application/problem+json",
            ), operation
            assert "role_too_small" in (answer.headers.get("tribank-code"), answer.json().get("code"))


def test_a_key_for_some_products_reaches_no_other(client: httpx.Client, secrets: dict[str, str]) -> None:
    key = headers(secrets["others"])
    for operation, needed in OPERATIONS.items():
        method, path = operation.split()
        if needed is None:
            continue
        answer = asked(client, method, address(path), secrets["others"])
        code = answer.headers.get("tribank-code") or (
            answer.json().get("code") if "json" in answer.headers.get("content-type", "") else None
        )
        if "{product}" in path or path == "/metrics":
            assert (answer.status_code, code) == (403, "product_not_allowed"), operation
        else:
            assert answer.status_code != 403, operation
        if "{product}" in path:
            own = client.request(method, address(path, "tile"), headers=key)
            assert own.status_code != 403, operation
    assert is_within(["tile"], "/v1/products/tile")
    assert not is_within(["tile"], "/v1/products/tiles/score")
    assert not is_within(["tile"], "/v1/a-future-route")


def test_lists_show_a_key_its_own_products(
    client: httpx.Client, secrets: dict[str, str], part: dict[str, bytes]
) -> None:
    boss, key = headers(secrets["manage"]), headers(secrets["others"])
    cookie, tile = (
        client.post(f"/v1/products/{name}/score", files=part, headers=boss).json()["result_id"]
        for name in ("cookie", "tile")
    )
    files = [("file", (f"1.{kind}", part[field])) for kind, field in (("png", "rgb"), ("tiff", "xyz"))]
    asked = boss | {"Prefer": "respond-async"}
    theirs, ours = (
        client.post(f"/v1/products/{name}/batch", files=files, headers=asked).headers["location"]
        for name in ("cookie", "tile")
    )
    for name in (cookie, tile):
        assert client.put(f"/v1/results/{name}/feedback", json={"verdict": "good"}, headers=boss).is_success

    def seen(path: str, member: str) -> set[str]:
        return {one["product"] for one in client.get(path, headers=key).json()[member]}

    assert seen("/v1/products", "products") == {"tile"}
    assert seen("/v1/results", "results") == {"tile"}
    assert seen("/v1/jobs", "jobs") == {"tile"}
    assert seen("/v1/audit", "changes") == {"tile"}
    for path in ("/v1/results.csv", "/v1/audit.csv"):
        table = client.get(path, headers=key).text
        assert "tile" in table
        assert "cookie" not in table
    for path in ("", "/picture"):
        assert client.get(f"/v1/results/{cookie}{path}", headers=key).status_code == 404
        assert client.get(f"/v1/results/{tile}{path}", headers=key).status_code == 200
    judged = client.put(f"/v1/results/{cookie}/feedback", json={"verdict": "defective"}, headers=key)
    assert (judged.status_code, judged.json()["code"]) == (404, "unknown_result")
    histogram = client.get("/v1/results/histogram", params={"product": "cookie"}, headers=key)
    assert histogram.json()["code"] == "unknown_product"
    for path in ("", "/events", "/results"):
        assert client.get(f"{theirs}{path}", headers=key).json()["code"] == "unknown_job"
        assert client.get(f"{ours}{path}", headers=key).status_code == 200
    assert client.get("/readyz", headers=key).json() == {"status": "ready"}


def test_an_expired_key_is_refused(serve: Callable[..., Any], loader: Any, tmp_path: Path) -> None:
    keys, now = Keys(tmp_path), datetime.now(UTC)
    old = keys.add("old", "manage", expires=now - timedelta(seconds=1))
    new = keys.add("new", "manage", expires=now + timedelta(days=1))
    with serve(Settings(banks=tmp_path), loader, state=tmp_path) as running, running.client() as client:
        refused = client.get("/v1/products", headers=headers(old))
        assert (refused.status_code, refused.json()["code"]) == (401, "key_expired")
        assert client.get("/readyz", headers=headers(old)).json() == {"status": "ready"}
        assert client.get("/v1/products", headers=headers(new)).status_code == 200
