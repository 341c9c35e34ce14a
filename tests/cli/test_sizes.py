"""`tribank sizes` on few parts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from cli.sizes import MARKS


@pytest.mark.slow
def test_parts_of_every_size_are_evaluated_into_one_table(tmp_path: Path) -> None:
    page = tmp_path / "results.md"
    page.write_text(f"Before.\n{MARKS[0]}\nstale\n{MARKS[1]}\nAfter.\n")
    command = ["sizes", "--out", str(tmp_path / "out"), "--markdown", str(page), "--product", "biscuit"]
    few = ["--train", "4", "--validation", "2", "--test", "6", "--profile", "embedded-point"]
    result = CliRunner().invoke(app, [*command, *few], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    text = page.read_text()
    assert text.startswith("Before.\n" + MARKS[0])
    assert text.endswith(MARKS[1] + "\nAfter.\n")
    rows = re.findall(r"^\| (.+?) \| ([\d.]+) \| ([\d.]+) \| ([-+][\d.]+) \|$", text, re.MULTILINE)
    assert [row[0] for row in rows][:2] == ["as rendered", "0.03 times"]
    scaled = [abs(float(row[3])) for row in rows if "times" in row[0]]
    assert len(scaled) == 4
    assert max(scaled) <= 0.13  # one pair of eight may change places
