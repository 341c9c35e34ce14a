"""`tribank evaluate` and `tribank bench` on a small product."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from evaluation.commands import register
from evaluation.evaluate_command import NothingToEvaluate
from evaluation.product_evaluation import Evaluation
from tests.conftest import SMALL

app = typer.Typer()
register(app)


def _run(*arguments: str | Path) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_an_interrupted_evaluation_goes_on_where_it_was(small_product: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / SMALL).symlink_to(small_product)
    first = _run("evaluate", data, "--out", tmp_path / "out", "--json")
    (evaluation,) = map(Evaluation.from_json, first.splitlines())
    assert set(evaluation.columns) == {"rgb", "point", "fused", "final"}
    assert evaluation.goods + evaluation.defects == 3
    assert 0 <= evaluation.false_rejects <= evaluation.goods
    marked = replace(evaluation, p50_ms=1.5).to_json() + "\n"
    (tmp_path / "out" / "results.jsonl").write_text(marked)
    assert _run("evaluate", data, "--out", tmp_path / "out", "--json") == marked, "kept, not computed again"
    assert "image AUROC by defect family" in _run("evaluate", data, "--out", tmp_path / "out")


def test_an_empty_folder_says_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(NothingToEvaluate, match="train/good"):
        _run("evaluate", tmp_path, "--out", tmp_path / "out")


def test_bench_times_every_stage(small_product: Path, small_banks: Path) -> None:
    report = json.loads(
        _run("bench", SMALL, small_product, "--banks", small_banks, "--repeats", "2", "--json")
    )
    assert {"decode", "prepare", "rgb", "point", "search", "total"} <= report["ms"].keys()
    stages = sum(spread["p50"] for stage, spread in report["ms"].items() if stage != "total")
    assert stages <= 1.05 * report["ms"]["total"]["max"]
    assert report["sgemm_gflops"] > 0
