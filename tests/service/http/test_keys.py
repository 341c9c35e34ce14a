"""Keys at a real server: who is let in, who may manage, and what is told of them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from cli.main import app
from service.http.access import check_access
from service.http.keys import BadKeys, Keys
from service.settings import Settings
from tests.service.proxy import NGINX, proxied


def _bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def test_a_server_asks_for_keys_and_roles(
    serve: Callable[..., Any], loader: Any, part: dict[str, bytes], tmp_path: Path
) -> None:
    keys = Keys(tmp_path)
    line, boss = keys.add("line", "score"), keys.add("boss", "manage")
    assert line not in (tmp_path / "keys.json").read_text()
    settings = Settings(banks=tmp_path / "banks", host="0.0.0.0")
    with serve(settings, loader, state=tmp_path) as running, running.client() as client:
        assert client.get("/healthz").status_code == 200
        for headers in ({}, {"X-API-Key": "wrong"}, _bearer("wrong"), {"Authorization": f"Basic {line}"}):
            refused = client.post("/v1/products/cookie/score", files=part, headers=headers)
            assert (refused.status_code, refused.json()["code"]) == (401, "key_required")
            assert refused.headers["www-authenticate"] == "Bearer"
            assert refused.headers["content-type"] == "application/problem+json"
        for headers in ({"X-API-Key": line}, _bearer(line), _bearer(boss)):
            scored = client.post(
                "/v1/products/cookie/score", files=part, headers={"Origin": "http://x", **headers}
            )
            assert scored.status_code == 200
            assert not [name for name in scored.headers if name.startswith("access-control")]
        manage = [
            ("POST", "/v1/products/cookie/versions/v2/activate"),
            ("POST", "/v1/products/cookie/rollback"),
            ("DELETE", "/v1/products/cookie/versions/v2"),
            ("PUT", "/v1/products/cookie/shadow"),
            ("DELETE", "/v1/products/cookie/shadow"),
            ("PUT", "/v1/products/cookie/versions/v1/threshold"),
            ("DELETE", "/v1/products/cookie/versions/v1/threshold"),
            ("DELETE", "/v1/jobs/a"),
            ("POST", "/v1/products/cookie/builds"),
        ]
        for method, path in manage:
            assert client.request(method, path).status_code == 401
            assert client.request(method, path, headers=_bearer(line)).json()["code"] == "role_too_small"
            assert client.request(method, path, headers=_bearer(boss)).status_code not in (401, 403)
        keys.revoke("line")
        assert client.get("/v1/products", headers=_bearer(line)).status_code == 401
        late = keys.add("late", "score")
        assert client.get("/v1/products", headers=_bearer(late)).status_code == 200
        (tmp_path / "keys.json").write_text("{")
        assert client.get("/v1/products", headers=_bearer(late)).status_code == 200
        assert client.get("/v1/products", headers=_bearer(line)).status_code == 401
        assert {"line", "boss", "late"} <= {entry.get("key") for entry in running.log}
        assert not [s for s in (line, boss, late) if s in str(running.log)]


def test_a_key_that_may_score_cancels_its_own_jobs_alone(
    serve: Callable[..., Any], loader: Any, detector: Any, part: dict[str, bytes], tmp_path: Path
) -> None:
    keys, on = Keys(tmp_path), Event()
    north, south, boss = (
        _bearer(secret)
        for secret in (keys.add("north", "score"), keys.add("south", "score"), keys.add("boss", "manage"))
    )
    detector.before = on.wait  # so that no job ends by itself
    files = [("file", (f"1.{kind}", part[field])) for kind, field in (("png", "rgb"), ("tiff", "xyz"))]
    asked = {"Prefer": "respond-async", "Idempotency-Key": "monday"}
    with serve(Settings(banks=tmp_path), loader, state=tmp_path) as running, running.client() as client:
        theirs, ours, third = (
            client.post("/v1/products/cookie/batch", files=files, headers=asked | key).headers["location"]
            for key in (south, north, boss)
        )
        assert len({theirs, ours, third}) == 3
        assert client.get(theirs, headers=north).json()["state"] in ("queued", "running")
        refused = client.post(f"{theirs}/cancel", headers=north)
        assert (refused.status_code, refused.json()["code"]) == (403, "role_too_small")
        assert client.post(f"{ours}/cancel", headers=north).json()["state"] == "cancelled"
        assert client.post(f"{third}/cancel", headers=north).status_code == 403
        assert client.post(f"{theirs}/cancel", headers=boss).status_code == 200
        assert client.post("/v1/jobs/none/cancel", headers=north).status_code == 404
        assert client.delete(ours, headers=north).status_code == 403
        on.set()


def test_who_can_be_reached_needs_a_key_to_start(tmp_path: Path) -> None:
    for host in ("0.0.0.0", "::", "", "10.0.0.1"):
        with pytest.raises(BadKeys, match="tribank keys add"):
            check_access(Settings(host=host, state=tmp_path))
        check_access(Settings(host=host, state=tmp_path, open_access=True))
    for host in ("127.0.0.1", "::1", "localhost"):
        check_access(Settings(host=host, state=tmp_path))
    Keys(tmp_path).add("line", "score")
    check_access(Settings(host="0.0.0.0", state=tmp_path))


def test_commands(tmp_path: Path) -> None:
    state = ["--state", str(tmp_path)]
    run = CliRunner()
    added = run.invoke(app, ["keys", "add", "line", "--role", "score", *state])
    assert str(tmp_path) in added.stderr
    secret = added.stdout.strip()
    found = Keys(tmp_path).find(secret)
    assert found is not None
    assert found.name == "line"
    assert (tmp_path / "keys.json").stat().st_mode & 0o077 == 0
    listed = run.invoke(app, ["keys", "list", *state]).stdout
    assert "line" in listed
    assert secret not in listed
    with pytest.raises(BadKeys, match="already"):
        Keys(tmp_path).add("line", "manage")
    assert run.invoke(app, ["keys", "revoke", "line", *state]).exit_code == 0
    assert Keys(tmp_path).find(secret) is None
    for command in (["list"], ["revoke", "line"]):
        mistyped = run.invoke(app, ["keys", *command, "--state", str(tmp_path / "mistyped")])
        assert isinstance(mistyped.exception, FileNotFoundError)
    assert not (tmp_path / "mistyped").exists()
    impossible = run.invoke(app, ["keys", "add", "other", "--product", "Not A", *state])
    assert impossible.exit_code == 2
    assert Keys(tmp_path).all() == ()


def test_a_server_does_not_start_with_damaged_keys(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text("{")
    for host in ("127.0.0.1", "0.0.0.0"):
        with pytest.raises(BadKeys, match="damaged"):
            check_access(Settings(host=host, state=tmp_path))


def test_of_many_changes_at_once_none_is_lost(tmp_path: Path) -> None:
    names = [f"key{number}" for number in range(16)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: Keys(tmp_path).add(name, "score"), names))
    assert sorted(key.name for key in Keys(tmp_path).all()) == sorted(names)


def test_without_keys_pages_of_other_sites_reach_nothing(
    client: httpx.Client, part: dict[str, bytes]
) -> None:
    url = "/v1/products/cookie/score"
    for headers in (
        {"Host": "evil.example"},
        {"Host": "evil.example:8000"},
        {"Host": "[::"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ):
        refused = client.post(url, files=part, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (403, "foreign_origin"), headers
        assert client.get("/healthz", headers=headers).status_code == 200
    for headers in ({"Host": "localhost:9"}, {"Host": "[::1]:80"}, {"Origin": "http://127.0.0.1:5173"}):
        assert client.post(url, files=part, headers=headers).status_code == 200


@pytest.mark.parametrize(
    "added",
    [
        {"Forwarded": "for=10.0.0.9"},
        {"X-Forwarded-For": "10.0.0.9"},
        {"X-Forwarded-Proto": "https"},
        {"X-Real-IP": "10.0.0.9"},
        {"Via": "1.1 proxy"},
    ],
    ids=lambda added: next(iter(added)),
)
def test_without_keys_nobody_comes_in_through_a_proxy(client: httpx.Client, added: dict[str, str]) -> None:
    for method, url in (
        ("GET", "/v1/products"),
        ("POST", "/v1/products/cookie/rollback"),
        ("GET", "/metrics"),
    ):
        refused = client.request(method, url, headers=added)
        assert (refused.status_code, refused.json()["code"]) == (403, "proxied")
    assert client.get("/readyz", headers=added).json() == {"status": "ready"}


def test_without_keys_http_1_0_is_taken_for_a_proxy(server: Any) -> None:
    answer = server.raw(b"GET /v1/products HTTP/1.0\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 403")
    assert b'"proxied"' in answer


@pytest.mark.skipif(NGINX is None, reason="needs nginx")
@pytest.mark.parametrize(
    "more", ["", "proxy_http_version 1.1; proxy_set_header X-Forwarded-For $remote_addr;"]
)
def test_a_real_nginx_opens_nothing_without_keys_and_serves_with_them(
    serve: Callable[..., Any], loader: Any, tmp_path: Path, more: str
) -> None:
    state = tmp_path / "state"
    with (
        serve(Settings(banks=tmp_path / "banks"), loader, state=state) as running,
        proxied(tmp_path, f"location / {{ proxy_pass {running.url}; {more} }}") as address,
    ):
        refused = httpx.get(f"{address}/v1/products", trust_env=False)
        assert (refused.status_code, refused.json()["code"]) == (403, "proxied")
        key = Keys(state).add("line", "score")
        answer = httpx.get(f"{address}/v1/products", headers=_bearer(key), trust_env=False)
        assert answer.status_code == 200


def test_readiness_tells_strangers_the_status_alone(
    serve: Callable[..., Any], loader: Any, client: httpx.Client, tmp_path: Path
) -> None:
    assert client.get("/readyz").json()["products"][0]["product"] == "cookie"
    assert client.get("/readyz", headers={"Host": "evil.example"}).json() == {"status": "ready"}
    key = Keys(tmp_path).add("line", "score")
    settings = Settings(banks=tmp_path / "banks")
    with serve(settings, loader, state=tmp_path) as running, running.client() as other:
        assert other.get("/readyz").json() == {"status": "ready"}
        assert other.get("/readyz", headers=_bearer(key)).json()["products"][0]["product"] == "cookie"
        running.app.state.shared.drain()
        refused = other.get("/readyz")
        assert (refused.status_code, refused.json().get("not_ready")) == (503, None)
        assert other.get("/readyz", headers=_bearer(key)).json()["not_ready"]


def test_keys_that_vanish_close_the_server_also_after_a_restart(
    serve: Callable[..., Any], loader: Any, make_loader: Any, make_detector: Any, tmp_path: Path
) -> None:
    key = Keys(tmp_path).add("line", "manage")
    settings = Settings(banks=tmp_path / "banks")
    with serve(settings, loader, state=tmp_path) as running, running.client() as client:
        assert client.get("/v1/products", headers=_bearer(key)).status_code == 200
        (tmp_path / "keys.json").unlink()
        for headers in ({}, _bearer(key)):
            assert client.get("/v1/products", headers=headers).status_code == 401
    with serve(settings, make_loader(make_detector()), state=tmp_path) as running, running.client() as client:
        refused = client.get("/v1/products", headers=_bearer(key))
        assert (refused.status_code, refused.json()["code"]) == (401, "key_required")
        assert "keys.made" in refused.json()["detail"]
        again = Keys(tmp_path).add("line", "manage")
        assert client.get("/v1/products", headers=_bearer(again)).status_code == 200
    (tmp_path / "keys.json").unlink()
    (tmp_path / "keys.made").unlink()
    assert not Keys(tmp_path).exist


def test_pages_of_other_sites_are_told_nothing(client: httpx.Client) -> None:
    picture = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    for url in ("/v1/results.csv", "/openapi.json", "/console/console.js", "/"):
        refused = client.get(url, headers=picture)
        assert (refused.status_code, refused.json()["code"]) == (403, "cross_site"), url
    assert client.get("/v1/results.csv", headers=link).status_code == 403
    assert client.get("/", headers=link).status_code == 200
    answer = client.get("/v1/results.csv", headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 200
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
