"""A page learns which servers it may show together, and may ask these and no others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from service.http.keys import Keys
from service.settings import Settings


def test_the_servers_of_the_setting_are_listed_for_who_may_read(
    serve: Callable[..., Any], loader: Any, tmp_path: Path
) -> None:
    secret = Keys(tmp_path).add("tile", "read", products=["tile"])
    listed = "line-2=https://line2:8000/tribank,line-1=http://line1"
    settings = Settings(banks=tmp_path / "banks", servers=listed)
    with serve(settings, loader, state=tmp_path) as running, running.client() as client:
        assert client.get("/v1/servers").status_code == 401
        answer = client.get("/v1/servers", headers={"X-API-Key": secret}).json()
        policy = client.get("/").headers["content-security-policy"]
    assert answer["servers"] == [
        {"name": "line-2", "url": "https://line2:8000/tribank/"},
        {"name": "line-1", "url": "http://line1/"},
    ]
    assert "connect-src 'self' http://line1 https://line2:8000;" in policy


def test_without_the_setting_there_are_none(client: httpx.Client) -> None:
    assert client.get("/v1/servers").json() == {"servers": []}
    assert "connect-src 'self';" in client.get("/").headers["content-security-policy"]


def test_only_healthz_may_be_read_across_origins(client: httpx.Client) -> None:
    policies = {
        path: client.get(path).headers["cross-origin-resource-policy"]
        for path in ("/healthz", "/readyz", "/")
    }
    assert policies == {"/healthz": "cross-origin", "/readyz": "same-origin", "/": "same-origin"}
