"""`tribank contamination` on few parts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import contamination
from cli.contamination import MARKS
from cli.main import app
from evaluation.demo_parts import writer


@pytest.mark.slow
def test_shares_of_defective_parts_are_evaluated_into_one_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contamination, "_SHARES", (0.0, 0.05))
    monkeypatch.setattr(writer, "WORTH_A_POOL", 99)  # processes that start cost more than so few parts
    page = tmp_path / "results.md"
    page.write_text(f"Before.\n{MARKS[0]}\nstale\n{MARKS[1]}\nAfter.\n")
    few = ["--product", "lid", "--train", "10", "--validation", "0", "--test", "10"]
    few += ["--profile", "embedded-point"]
    result = CliRunner().invoke(
        app,
        ["contamination", "--out", str(tmp_path / "out"), "--markdown", str(page), *few],
        catch_exceptions=False,
    )
    assert result.exit_code == 0, result.output
    text = page.read_text()
    assert text.startswith("Before.\n" + MARKS[0])
    assert text.endswith(MARKS[1] + "\nAfter.\n")
    rows = re.findall(
        r"^\| 5 \| lid \| (\d) \| (\d) of (\d) \| .* \| \d of (\d) \| \d of (\d) \|$", text, re.M
    )
    assert [(row[0], row[2], row[3:]) for row in rows] == [
        ("0", "0", ("5", "4")),
        ("1", "1", ("5", "4")),
    ]
