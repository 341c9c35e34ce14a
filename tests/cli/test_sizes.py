"""`tribank sizes` on few parts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import sizes
from cli.main import app
from cli.sizes import MARKS


@pytest.mark.slow
def test_parts_of_every_size_are_evaluated_into_one_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sizes, "_SCALES", (10.0,))
    page = tmp_path / "results.md"
    page.write_text(f"Before.\n{MARKS[0]}\nstale\n{MARKS[1]}\nAfter.\n")
    command = ["sizes", "--out", str(tmp_path / "out"), "--markdown", str(page), "--product", "lid"]
    few = ["--train", "2", "--validation", "1", "--test", "3", "--profile", "embedded-point"]
    result = CliRunner().invoke(app, [*command, *few], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    text = page.read_text()
    assert text.startswith("Before.\n" + MARKS[0])
    assert text.endswith(MARKS[1] + "\nAfter.\n")
    rows = re.findall(r"^\| (.+?) \| ([\d.]+) \| ([\d.]+) \| ([-+][\d.]+) \|$", text, re.MULTILINE)
    assert [row[0] for row in rows] == ["as rendered", "10 times", "1 mm thick"]
    assert rows[0][1] == rows[1][1], "a part of another size has the same score"
