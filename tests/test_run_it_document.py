"""The operator's and the quality engineer's pages: every command is typed, in order, beside a real server."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import SMALL
from tests.faults.warm import Warm
from tests.reader import ROOT, Desk, lines_of, server

PAGES = [
    ROOT / "docs" / f"{name}.md" for name in ("run-it", "upgrade", "capacity", "monitoring", "how-good-is-it")
]


@pytest.fixture
def desk(small_product: Path, small_banks: Path, tmp_path: Path, warm: Warm) -> Iterator[Desk]:
    """A folder as the pages' readers have it, with a server: banks in out/banks, good parts in
    path/to/good/parts. Of five or seven parts alone, `tribank data screen` names one (docs/results.md)."""
    parts = tmp_path / "path" / "to" / "good" / "parts"
    shutil.copytree(small_product / "train" / "good", parts)
    for number, split in enumerate(("validation", "test"), 1):
        for path in (small_product / split / "good").glob("*/*"):
            if path.parent.name in ("rgb", "xyz"):
                shutil.copy(path, parts / path.parent.name / f"{number}{path.name}")
    shutil.copytree(small_banks, tmp_path / "out" / "banks", symlinks=True)
    (tmp_path / "out" / "banks" / SMALL / ".unfinished-build").mkdir()
    with server(warm, tmp_path, ".venv/bin/tribank serve --banks out/banks --state out/state") as desk:
        yield desk


@pytest.mark.slow
def test_every_command_of_the_pages_works(desk: Desk) -> None:
    told: dict[str, str] = {}
    key = "KEY"
    for line in [line for page in PAGES for line in lines_of(page)]:
        told[line] = desk.type(line, KEY=key)
        if " keys add " in line:
            (key,) = re.findall(r"^\S+$", told[line], re.MULTILINE)
    answers = " ".join(told.values())
    assert re.search(rf"ok +port: .*127\.0\.0\.1:{desk.port}", answers)
    assert "embedded, 224 x 224 points, 244 training parts" in answers
    assert f"{SMALL} v1: complete" in answers
    assert "tribank_parts_total" in answers
    assert not list((desk.folder / "restored").rglob(".*"))
