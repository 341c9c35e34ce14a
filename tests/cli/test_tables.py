"""`tribank tables` on a small product."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from cli.tables import BEGIN, END, UnknownTable


def _run(*arguments: str | Path) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_tables_are_filled_and_written_into_a_page(small_product: Path, tmp_path: Path) -> None:
    page = tmp_path / "results.md"
    page.write_text(f"# Ours\n\nProse before.\n\n{BEGIN}\nstale\n{END}\n\nProse after.\n")
    command = (
        *("tables", "--data", small_product, "--tables", "viii,VI", "--draws", "1", "--stand-ins"),
        *("--out", tmp_path / "out", "--markdown", page, "--weights-dir", tmp_path / "none"),
    )
    shown = _run(*command)
    text = page.read_text()
    assert "stale" not in text
    assert text.startswith("# Ours\n\nProse before.\n\n" + BEGIN)
    assert text.endswith(END + "\n\nProse after.\n")
    assert text.index("Table VI:") < text.index("Table VIII:")
    assert "| DINO ViT-B/8: embedded-three, its rgb bank |" in text
    assert "weights are missing: dino_vitb8" in text
    assert "5-shot: embedded-three" in text
    assert "the largest has 5" in text
    assert "Made with commit" in text
    assert "published mean (MVTec 3D-AD)" in text
    assert "Table VIII" in shown
    _run(*command)
    assert page.read_text() == text, "a second run finds everything finished"


def test_an_unknown_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownTable, match="XIII"):
        _run("tables", "--data", tmp_path, "--tables", "I,XIII", "--out", tmp_path / "out")


def test_tables_of_another_data_set_say_so(small_product: Path, tmp_path: Path) -> None:
    (tmp_path / "bagel").symlink_to(small_product)
    out = tmp_path / "out"
    shown = _run("tables", "--data", tmp_path, "--tables", "IX,XII", "--out", out, "--weights-dir", out)
    assert "Table XII" in shown
    text = (out / "tables.md").read_text()
    assert "| published |" in text
    assert "weights are missing" in text
