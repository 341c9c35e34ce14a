"""docs/scale.md: every command is typed, and the tables of the page are those that the commands write."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from statistics import fmean

import pytest

from evaluation.scale.service_times import KEY
from tests.faults.warm import Warm
from tests.reader import ROOT, Desk, lines_of

PAGE = ROOT / "docs" / "scale.md"
MEASURED = ROOT / "docs" / "scale"


@pytest.mark.slow
def test_the_tables_are_those_of_the_commands(tmp_path: Path, warm: Warm) -> None:
    shutil.copytree(MEASURED, tmp_path / "docs" / "scale")
    copy = tmp_path / "docs" / "scale.md"
    copy.write_text(re.sub(r"(: begin -->).*?(<!--)", r"\1\n\2", PAGE.read_text(), flags=re.DOTALL))
    lines = lines_of(PAGE)
    assert len(lines) == PAGE.read_text().count(": begin -->") > 0
    for line in lines:
        Desk(tmp_path, 0, warm).type(line)
    assert copy.read_text() == PAGE.read_text()


def test_two_scorers_do_at_least_1_8_times_the_work_of_one() -> None:
    text = PAGE.read_text()
    pattern = r"simulate {}: begin.*?answered a second \| ([\d.]+)"
    one, two = (
        float(re.findall(pattern.format(name), text, re.DOTALL)[0]) for name in ("one-scorer", "two-scorers")
    )
    assert two / one >= 1.8
    assert f"**{two / one:.2f} times**" in text


@pytest.mark.parametrize("report", sorted(MEASURED.iterdir()), ids=lambda path: path.stem)
def test_the_page_says_what_was_measured(report: Path) -> None:
    told = json.loads(report.read_text())
    name = f"`docs/scale/{report.name}`"
    (row,) = [line for line in PAGE.read_text().splitlines() if line.startswith("| `") and name in line]
    assert f"{fmean(told[KEY]):.0f}" in row
    assert f"{told['ms']['total']['p90']:.0f}" in row
    assert f"{told['processor_ms']['p50']:.0f}" in row
    assert told["commit"].startswith("189ba91")
