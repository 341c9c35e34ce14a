"""Objects of a store: whole or absent, created once, read in pieces."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from banks.versions.objects import PIECE_BYTES, Objects, ObjectTooLarge, StoreFailed
from tests.s3_server import SECRET, s3_server


def test_an_object_is_put_read_in_pieces_and_listed(any_store: str, tmp_path: Path) -> None:
    objects, content = Objects(any_store), os.urandom(2 * PIECE_BYTES + 7)
    (tmp_path / "file").write_bytes(content)
    assert objects.names("blobs") == []
    assert (objects.size("blobs/a"), objects.read("blobs/a", 9)) == (None, None)
    objects.put("blobs/a", tmp_path / "file")
    (tmp_path / "file").write_bytes(b"")
    objects.put("blobs/deeper/b", tmp_path / "file")
    pieces = list(objects.pieces("blobs/a"))
    assert [len(piece) for piece in pieces] == [PIECE_BYTES, PIECE_BYTES, 7]
    assert b"".join(pieces) == content
    assert objects.size("blobs/deeper/b") == 0
    assert objects.names("blobs") == ["a", "deeper"]
    assert objects.size("blobs/deeper") is None
    with pytest.raises(ObjectTooLarge):
        objects.read("blobs/a", len(content) - 1)


def test_an_object_is_created_once_and_replaced_as_often_as_wanted(any_store: str) -> None:
    objects = Objects(any_store)
    assert objects.create("a/b.json", b"first")
    assert not Objects(any_store).create("a/b.json", b"second")
    assert objects.read("a/b.json", 9) == b"first"
    for content in (b"third", b"fourth"):
        objects.replace("a/c.json", content)
    assert Objects(any_store).read("a/c.json", 9) == b"fourth"
    assert objects.names("a") == ["b.json", "c.json"]


def test_a_file_that_cannot_be_read_to_its_end_leaves_no_object(any_store: str) -> None:
    objects = Objects(any_store)
    with pytest.raises(StoreFailed):
        objects.put("blobs/a", Path("/proc/self/mem"))
    assert objects.names("blobs") == []


def test_links_and_devices_are_no_objects(tmp_path: Path) -> None:
    objects = Objects(f"file://{tmp_path}")
    (tmp_path / "elsewhere").write_bytes(b"private")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    os.mkfifo(tmp_path / "pipe")
    assert objects.read("elsewhere", 9) == b"private"
    assert [objects.read(name, 9) for name in ("link", "pipe")] == [None, None]


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("bucket/prefix", "s3://bucket"),
        ("simplecache::s3://bucket/prefix", "s3://bucket"),
        ("sftp://user:hunter2@host/folder", "password"),
        ("gs://bucket/prefix", "gcs"),
        ("nosuch://bucket/prefix", "nosuch"),
    ],
)
def test_a_url_that_is_no_store_is_refused(url: str, word: str) -> None:
    with pytest.raises(StoreFailed, match=word) as refused:
        Objects(url)
    assert "hunter2" not in str(refused.value)


def test_a_missing_package_is_named_with_its_extra() -> None:
    """In a process that finds no s3fs."""
    program = (
        "import sys; sys.modules['s3fs'] = None; from banks.versions.objects import Objects; "
        "Objects('s3://bucket/prefix')"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ended.returncode == 1
    assert "pip install 'tribank[object-store]'" in ended.stderr.splitlines()[-1]


def test_a_bucket_that_is_missing_or_out_of_reach_is_said_without_secrets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with s3_server() as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        objects = Objects("s3://nobody-made-it/prefix")
        with pytest.raises(StoreFailed, match="bucket"):
            objects.create("a", b"content")
        server.process.kill()
        with pytest.raises(StoreFailed, match="nobody-made-it") as failed:
            objects.create("a", b"content")
    assert SECRET not in str(failed.value)


class _Expired(BaseHTTPRequestHandler):
    """S3 where the credentials have expired. An answer to HEAD has no body, so it has no reason."""

    def do_GET(self) -> None:
        body = b"<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>"
        self.send_response(400)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is printed."""


def test_the_reason_of_an_answer_without_one_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    with HTTPServer(("127.0.0.1", 0), _Expired) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, SECRET)
        with pytest.raises(StoreFailed, match=r"token has expired\.$"):
            Objects("s3://bucket/prefix").size("a")
        server.shutdown()
