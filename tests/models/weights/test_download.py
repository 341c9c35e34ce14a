"""Fetching, against a stand-in for the official place."""

from __future__ import annotations

import io
import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest

from models.weights import download as weight_download
from models.weights.catalogue import WEIGHTS
from models.weights.download import fetch
from models.weights.store import BadWeights, MissingWeights, WeightStore


class Answer(io.BytesIO):
    """An HTTP answer."""

    def __init__(self, content: bytes, length: int) -> None:
        super().__init__(content)
        self.headers = {"Content-Length": str(length)}


@pytest.fixture
def content(monkeypatch: pytest.MonkeyPatch) -> bytes:
    """The Lite0 file, as if its package had an address."""
    weights = replace(WEIGHTS["efficientnet_lite0"], url="https://example.org/lite0.pth")
    monkeypatch.setattr(weight_download, "official_weights", lambda name: weights)
    path = weights.packaged()
    assert path is not None
    return path.read_bytes()


def serve(monkeypatch: pytest.MonkeyPatch, content: bytes, length: int | None = None) -> None:
    answer = Answer(content, len(content) if length is None else length)
    monkeypatch.setattr(urllib.request, "urlopen", lambda url, timeout: answer)


def test_checked_converted_and_reported(
    content: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    serve(monkeypatch, content)
    seen: list[tuple[int, int | None]] = []
    stored = fetch(
        WeightStore(tmp_path), "efficientnet_lite0", lambda done, total: seen.append((done, total))
    )
    assert stored.official is True
    assert seen[-1] == (len(content), len(content))
    assert [path.name for path in tmp_path.iterdir()] == ["efficientnet_lite0.safetensors"]


def test_another_file_leaves_nothing(content: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    serve(monkeypatch, content[:-1] + b"x")
    with pytest.raises(BadWeights, match="sha256"):
        fetch(WeightStore(tmp_path), "efficientnet_lite0")
    assert not list(tmp_path.iterdir())


def test_an_answer_that_ends_early_leaves_nothing(
    content: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    serve(monkeypatch, content[:1000], len(content))
    with pytest.raises(MissingWeights, match="after 1000 of"):
        fetch(WeightStore(tmp_path), "efficientnet_lite0")
    assert not list(tmp_path.iterdir())
