"""Versions go from server to server as archives."""

from __future__ import annotations

import gzip
import shutil
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from banks.versions.archive import Archive
from banks.versions.leftovers import UNFINISHED
from banks.versions.manifest import Manifest
from banks.versions.store import BankStore
from service.settings import Settings
from tests.faults import small_disk
from tests.faults.warm import Warm
from tests.waiting import until

KEPT = Path(__file__).parents[2] / "data" / "versions" / "schema-3"
VERSIONS = "/v1/products/biscuit/versions"
TAR = {"Content-Type": "application/x-tar"}

pytestmark = pytest.mark.usefixtures("quick_builds")


def packed(banks: Path) -> bytes:
    with Archive(BankStore(banks), "biscuit") as archive:
        return b"".join(archive.pieces())


@pytest.fixture(scope="module")
def archive() -> bytes:
    return packed(KEPT)


@pytest.fixture
def line(tmp_path: Path, serve: Callable[..., Any]) -> Iterator[Any]:
    """A server without a bank."""
    (tmp_path / "line").mkdir()
    settings = Settings(banks=tmp_path / "line", deadline_s=120, keep_versions=1, max_version_bytes=200_000)
    with serve(settings, None, wait=False) as running:
        yield running


def nothing_came(line: Any) -> bool:
    root = line.app.state.shared.store.root
    return not [path for path in root.rglob("*") if path.is_file()] and not [*root.glob(f"*/{UNFINISHED}*")]


def test_a_version_goes_from_server_to_server(
    line: Any, serve: Callable[..., Any], tmp_path: Path, archive: bytes
) -> None:
    shutil.copytree(KEPT, tmp_path / "host")
    with serve(Settings(banks=tmp_path / "host"), None, wait=False) as host, host.client() as client:
        sent = client.get(f"{VERSIONS}/v1/archive")
        assert (sent.status_code, sent.content) == (200, archive)
        assert sent.headers["content-type"] == "application/x-tar"
        assert sent.headers["content-length"] == str(len(archive))
        assert 'filename="biscuit-v1.tar"' in sent.headers["content-disposition"]
        assert client.head(f"{VERSIONS}/v1/archive").headers["content-length"] == str(len(archive))
        (tmp_path / "host" / "biscuit" / "v1" / "rgb.faiss").write_bytes(b"")
        refused = client.get(f"{VERSIONS}/v1/archive")
        assert (refused.status_code, refused.json()["code"]) == (409, "bank_damaged")
        assert client.get(f"{VERSIONS}/v2/archive").json()["code"] == "unknown_version"
    with line.client() as client:
        for status in (201, 200):
            came = client.post(VERSIONS, content=sent.content, headers=TAR)
            assert (came.status_code, came.headers["location"]) == (status, f"{VERSIONS}/v1"), came.text
            assert (came.json()["active"], came.json()["calibration"]["basis"]) == (False, "set")
        assert client.get(VERSIONS).json()["active"] is None
        assert client.post(f"{VERSIONS}/v1/activate").json()["active"] == "v1"
        assert client.get("/v1/products/biscuit").json()["state"] == "serving"
        changes = client.get("/v1/audit", params={"action": "upload"}).json()["changes"]
        assert [(one["bank_version"], one["after"]["new"]) for one in changes] == [
            ("v1", False),
            ("v1", True),
        ]


def test_a_version_that_arrives_takes_the_place_of_the_oldest(
    line: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.commands.TRIBANK", ("true",))  # loads nothing, and is content
    shutil.copytree(KEPT, tmp_path / "host")
    version = tmp_path / "host" / "biscuit" / "v1"
    with line.client() as client:
        for seed in range(3):
            Manifest.read(version).model_copy(update={"seed": seed}).write(version)
            assert client.post(VERSIONS, content=packed(tmp_path / "host"), headers=TAR).status_code == 201
        assert [one["version"] for one in client.get(VERSIONS).json()["versions"]] == ["v3"]
        deleted = client.get("/v1/audit", params={"action": "delete"}).json()["changes"]
        assert [one["bank_version"] for one in deleted] == ["v2", "v1"]


def test_what_is_refused(line: Any, archive: bytes) -> None:
    form = {"Content-Type": "multipart/form-data; boundary=b"}
    cases: list[tuple[str, bytes, dict[str, str], int, str]] = [
        (VERSIONS, b"", TAR, 400, "no_body"),
        (VERSIONS, archive, form, 415, "unsupported_body"),
        (VERSIONS, gzip.compress(archive), TAR | {"Content-Encoding": "gzip"}, 415, "unsupported_encoding"),
        (VERSIONS, gzip.compress(archive), TAR, 422, "bad_archive"),
        (VERSIONS, archive[:5000], TAR, 422, "bad_archive"),
        (VERSIONS, archive + bytes(100_000), TAR, 413, "body_too_large"),
        (VERSIONS, archive, TAR | {"Idempotency-Key": "1"}, 400, "idempotency_key_unused"),
        ("/v1/products/cookie/versions", archive, TAR, 422, "other_product"),
        ("/v1/products/No%20name/versions", archive, TAR, 422, "invalid_product"),
    ]
    with line.client() as client:
        for url, body, headers, status, code in cases:
            answer = client.post(url, content=body, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
            assert nothing_came(line), code
        assert client.get("/v1/audit", params={"action": "upload"}).json()["changes"] == []


def test_a_version_that_cannot_be_used_here_is_refused(
    line: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, archive: bytes
) -> None:
    shutil.copytree(KEPT, tmp_path / "host")
    version = tmp_path / "host" / "biscuit" / "v1"
    manifest = Manifest.read(version)
    manifest.model_copy(update={"weights": dict.fromkeys(manifest.weights, "0" * 64)}).write(version)
    with line.client() as client:
        answer = client.post(VERSIONS, content=packed(tmp_path / "host"), headers=TAR)
        assert (answer.status_code, answer.json()["code"]) == (422, "version_refused")
        assert (
            "bank version in the archive cannot be served: it was built with other" in answer.json()["detail"]
        )
        monkeypatch.setattr("service.commands.TRIBANK", ("sh", "-c", "kill -SEGV $$"))
        answer = client.post(VERSIONS, content=archive, headers=TAR)
        assert (answer.status_code, answer.json()["code"]) == (422, "version_refused")
        assert f"status {-signal.SIGSEGV}" in answer.json()["detail"]
    assert nothing_came(line)
    assert [one["code"] for one in line.log if one["event"] == "version_not_tried"] == [-signal.SIGSEGV]


def listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def started(warm: Warm, folder: Path, port: int, hook: str = "", **settings: str) -> Any:
    words = ["serve", "--banks", str(folder / "line"), "--state", str(folder / "state"), "--port", str(port)]
    (folder / "line").mkdir(exist_ok=True)
    command = warm.start(words, folder / "said", settings, hook)
    until(lambda: listens(port), "the server")
    return command


def test_a_server_that_is_killed_leaves_nothing_half(
    line: Any, warm: Warm, tmp_path: Path, free_port: int, archive: bytes
) -> None:
    command = started(warm, tmp_path, free_port)
    with socket.create_connection(("127.0.0.1", free_port), 20) as connection:
        head = f"POST {VERSIONS} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-tar\r\n"
        connection.sendall(f"{head}Content-Length: {len(archive)}\r\n\r\n".encode() + archive[:60_000])
        until(lambda: list((tmp_path / "line").glob(f"biscuit/{UNFINISHED}*/fused.faiss")), "a half version")
        command.kill()
    with line.client() as client:  # another server on the same folder
        assert client.get(VERSIONS).json()["versions"] == []
        assert client.post(VERSIONS, content=archive, headers=TAR).json()["version"] == "v1"
    assert not [*(tmp_path / "line").glob(f"biscuit/{UNFINISHED}*")]


@pytest.mark.skipif(not small_disk.available(), reason="no mount namespace can be had here")
def test_a_full_disk_is_said(warm: Warm, tmp_path: Path, free_port: int, archive: bytes) -> None:
    hook = f"{small_disk.__name__}:{small_disk.mount.__name__}"
    command = started(warm, tmp_path, free_port, hook, **small_disk.environment(tmp_path / "line", 100_000))
    answer = httpx.post(f"http://127.0.0.1:{free_port}{VERSIONS}", content=archive, headers=TAR, timeout=60)
    assert (answer.status_code, answer.json()["code"]) == (507, "disk_full")
    command.kill()
