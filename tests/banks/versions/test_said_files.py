"""A file of what a person said, by version: written, read again, and refused where it is damaged."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from banks.versions.said_files import SaidFile
from banks.versions.store import BadBank

FILE = SaidFile("said.json", TypeAdapter(int), again="say it again")


def test_what_was_written_is_read(tmp_path: Path) -> None:
    assert FILE.read(tmp_path) == {}
    FILE.write(tmp_path, {"v1": 3, "v12": 4})
    assert FILE.read(tmp_path) == {"v1": 3, "v12": 4}


def test_only_a_file_whose_seal_is_optional_is_read_without_one(tmp_path: Path) -> None:
    (tmp_path / "said.json").write_text(json.dumps({"v1": 3}))
    assert replace(FILE, seal_optional=True).read(tmp_path) == {"v1": 3}
    with pytest.raises(BadBank):
        FILE.read(tmp_path)


@pytest.mark.parametrize("seal_optional", [False, True])
@pytest.mark.parametrize("content", [{"v1": "three"}, {"latest": 3}, {"../v1": 3}])
def test_other_content_is_refused_though_its_seal_is_sound(
    tmp_path: Path, content: dict[str, object], seal_optional: bool
) -> None:
    FILE.write(tmp_path, content)
    with pytest.raises(BadBank):
        replace(FILE, seal_optional=seal_optional).read(tmp_path)


def test_changed_content_is_refused(tmp_path: Path) -> None:
    FILE.write(tmp_path, {"v1": 3})
    file = tmp_path / "said.json"
    file.write_text(file.read_text().replace("3", "4", 1))
    with pytest.raises(BadBank):
        replace(FILE, seal_optional=True).read(tmp_path)
