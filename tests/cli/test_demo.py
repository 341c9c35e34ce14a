"""`tribank demo`: what it types."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from cli import demo
from tests.conftest import SMALL


def test_folders_with_blanks_are_typed_as_one_word(
    few_parts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What curl is told: the two files of a part that exist, and where the heatmap goes."""
    parts = tmp_path / "my parts"
    parts.symlink_to(few_parts)
    typed: list[list[str]] = []

    def curl(command: str) -> bytes:
        typed.append(shlex.split(command))
        return b'{"score": 1, "threshold": 2, "decision": "good"}'

    monkeypatch.setattr(demo, "_curl", curl)
    demo._score_two("http://server", SMALL, parts, tmp_path / "my maps")
    for words in typed:
        fields = [word.partition("=@")[2] for word in words if "=@" in word]
        assert [Path(path).parent.name for path in fields] == ["rgb", "xyz"]
        assert all(Path(path).is_file() for path in fields)
    pictures = [Path(words[words.index("-o") + 1]) for words in typed if "-o" in words]
    assert [picture.parent for picture in pictures] == [tmp_path / "my maps"] * 2
