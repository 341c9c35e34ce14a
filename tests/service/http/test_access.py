"""The configurations of nginx and Caddy in docs/security.md, with a real nginx and a real Caddy."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.http.keys import Keys
from service.settings import Settings
from tests.service.proxy import CADDY, NGINX, behind_caddy, proxied

SECURITY = Path(__file__).parents[3] / "docs" / "security.md"


@pytest.mark.parametrize(
    ("language", "proxy"),
    [
        pytest.param("nginx", proxied, marks=pytest.mark.skipif(NGINX is None, reason="needs nginx")),
        pytest.param("caddy", behind_caddy, marks=pytest.mark.skipif(CADDY is None, reason="needs Caddy")),
    ],
)
def test_a_proxy_as_documented_serves_the_page_parts_and_jobs_below_its_path(
    serve: Callable[..., Any],
    loader: Any,
    part: dict[str, bytes],
    tmp_path: Path,
    language: str,
    proxy: Callable[[Path, str], AbstractContextManager[str]],
) -> None:
    (lines,) = re.findall(rf"```{language}\n(.*?)```", SECURITY.read_text(), re.DOTALL)
    key = {"X-API-Key": Keys(tmp_path / "state").add("line", "score")}
    files = [("file", (f"1.{kind}", part[field])) for kind, field in (("png", "rgb"), ("tiff", "xyz"))]
    with (
        serve(Settings(banks=tmp_path / "banks"), loader, state=tmp_path / "state") as running,
        proxy(tmp_path, lines.replace("http://127.0.0.1:8000", running.url)) as address,
        httpx.Client(base_url=address, trust_env=False, timeout=60, headers=key) as client,
    ):
        page = client.get("/tribank", follow_redirects=True)  # as people type the address
        assert page.status_code == 200
        files_of_page = re.findall(r'(?:src|href)="(console/[^"]+)"', page.text)
        assert files_of_page
        for name in files_of_page:
            assert client.get(page.url.join(name)).status_code == 200
        assert client.head("/tribank/readyz").status_code == 200
        assert client.post("/tribank/v1/products/cookie/score", files=part).json()["decision"] == "good"
        job = client.post(
            "/tribank/v1/products/cookie/batch", files=files, headers={"Prefer": "respond-async"}
        )
        assert job.status_code == 202
        place = httpx.URL(job.headers["location"])
        assert place.path.startswith("/tribank/v1/jobs/")
        assert '"state":"done"' in client.get(f"{place.path}/events").text.splitlines()[-1]
