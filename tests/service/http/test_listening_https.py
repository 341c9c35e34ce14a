"""HTTPS from the server itself, and pages of other origins that may use the API."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.http.keys import Keys
from service.http.listening import CannotStart, check_tls
from service.settings import BadSetting, Settings, read_settings

TLS = Path(__file__).parents[2] / "data" / "tls"
CERTIFICATE, KEY = TLS / "cert.pem", TLS / "key.pem"
PAGE = "https://mes.example"


def test_parts_are_scored_over_https(
    serve: Callable[..., Any], loader: Any, part: dict[str, bytes], tmp_path: Path
) -> None:
    settings = Settings(banks=tmp_path, tls_cert=CERTIFICATE, tls_key=KEY, max_connections=16)
    trusted = ssl.create_default_context(cafile=str(CERTIFICATE))
    with (
        serve(settings, loader, wait=False) as running,
        httpx.Client(base_url=running.url, verify=trusted, trust_env=False) as client,
    ):
        assert running.url.startswith("https://127.0.0.1:")
        assert client.get("/readyz").status_code == 200
        assert client.post("/v1/products/cookie/score", files=part).json()["decision"] == "good"
        with pytest.raises(httpx.TransportError):
            httpx.get(f"http://{running.host}:{running.port}/healthz", trust_env=False)


def test_a_connection_too_many_is_refused_over_https(
    serve: Callable[..., Any], loader: Any, tmp_path: Path
) -> None:
    """A body is awaited on each connection: none is idle, so none is closed for the next one."""
    tls: dict[str, Any] = {"tls_cert": CERTIFICATE, "tls_key": KEY}
    settings = Settings(banks=tmp_path, max_connections=16, max_uploads=64, **tls)
    head = b"POST /v1/products/cookie/score HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n"
    head += b"Content-Type: multipart/form-data; boundary=b\r\nExpect: 100-continue\r\n\r\n"
    trusted = ssl.create_default_context(cafile=str(CERTIFICATE))
    held: list[ssl.SSLSocket] = []

    def connect() -> ssl.SSLSocket:
        plain = socket.create_connection((running.host, running.port), 20)
        held.append(trusted.wrap_socket(plain, server_hostname="127.0.0.1"))
        return held[-1]

    with serve(settings, loader) as running:
        try:
            for _ in range(16):
                waiting = connect()
                waiting.sendall(head)
                assert waiting.recv(1000).startswith(b"HTTP/1.1 100")
            assert connect().recv(1000).startswith(b"HTTP/1.1 503")
        finally:
            for connection in held:
                connection.close()


@pytest.mark.parametrize("files", [(KEY, KEY), (CERTIFICATE, CERTIFICATE), (TLS / "none", KEY)])
def test_files_that_are_no_certificate_with_its_key_are_refused_at_the_start(
    files: tuple[Path, Path],
) -> None:
    with pytest.raises(CannotStart, match="TRIBANK_TLS_CERT"):
        check_tls(*files)
    check_tls(CERTIFICATE, KEY)
    check_tls(None, None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"tls_cert": CERTIFICATE},
        {"tls_key": KEY},
        {"origins": "mes.example"},
        {"origins": "https://mes.example/page"},
        {"origins": "*"},
        {"origins": "ftp://mes.example"},
    ],
)
def test_settings_that_mean_nothing_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadSetting):
        read_settings(**wrong)


def test_a_page_of_an_allowed_origin_uses_the_api_with_a_key(
    serve: Callable[..., Any], loader: Any, part: dict[str, bytes], tmp_path: Path
) -> None:
    key = {"X-API-Key": Keys(tmp_path).add("mes", "score")}
    settings = Settings(banks=tmp_path, origins=f"{PAGE}, http://10.0.0.7:8080")
    score = "/v1/products/cookie/score"
    sent = "x-api-key, idempotency-key, inference-header-content-length, last-event-id"
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": sent}
    cross = {"Sec-Fetch-Site": "cross-site"}
    with serve(settings, loader, state=tmp_path) as running, running.client() as client:
        allowed = client.options(score, headers={"Origin": PAGE} | asked)
        assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (200, PAGE)
        foreign = client.options(score, headers={"Origin": "https://evil.example"} | asked)
        assert "access-control-allow-origin" not in foreign.headers
        answer = client.post(score, files=part, headers={"Origin": PAGE} | cross | key)
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, PAGE)
        shown = {name.strip().lower() for name in answer.headers["access-control-expose-headers"].split(",")}
        assert {"tribank-decision", "tribank-score", "tribank-scale"} <= set(answer.headers)
        assert {name for name in answer.headers if name.startswith("tribank-")} <= shown
        assert {"idempotency-replayed", "inference-header-content-length"} <= shown
        assert client.post(score, files=part, headers={"Origin": PAGE} | cross).status_code == 401
        refused = client.post(score, files=part, headers={"Origin": "https://evil.example"} | cross | key)
        assert (refused.status_code, refused.json()["code"]) == (403, "cross_site")
