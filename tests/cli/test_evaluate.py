"""`tribank evaluate` and `tribank bench` on a small product."""

from __future__ import annotations

import csv
import json
import shutil
import signal
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from banks.versions.store import BadBank
from cli.evaluate import run_all
from cli.main import app
from evaluation.evaluator import NothingToEvaluate
from evaluation.product_evaluation import Evaluation
from evaluation.result_log import OutputInUse, alone_in
from evaluation.run import Run
from evaluation.scale.service_times import KEY
from models.readers.product_places import NotAProductFolder
from models.training import TrainingFailed
from models.weights.store import MissingWeights
from tests.conftest import SMALL
from tests.faults.warm import Warm
from tests.waiting import until

ROOT = Path(__file__).parents[2]


def _call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)


def _run(*arguments: str | Path) -> str:
    result = _call(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def _evaluated(text: str) -> list[Evaluation]:
    return [Evaluation.from_json(line) for line in text.splitlines()]


def _measured(evaluation: Evaluation) -> Evaluation:
    """Without what depends on the clock and on the memory of the process."""
    return replace(evaluation, p50_ms=0, p90_ms=0, wall_s=0, peak_memory_mb=0)


def test_a_declared_value_is_no_return_in_an_evaluation(
    few_parts: Path, declared_product: Path, tmp_path: Path
) -> None:
    quick = ("--profile", "embedded-point", "--json", "--out")
    (tmp_path / "sensor.json").write_text('{"invalid": 9999}')
    (plain,) = _evaluated(_run("evaluate", few_parts, *quick, tmp_path / "plain"))
    for declares in (("--set", "preparation.no_return=9999"), ("--sensor", tmp_path / "sensor.json")):
        (declared,) = _evaluated(_run("evaluate", declared_product, *quick, tmp_path / "out", *declares))
        assert not declared.unusable
        assert declared.columns == plain.columns


def test_results_are_kept_and_written_three_ways(few_parts: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (evaluation,) = _evaluated(_run("evaluate", few_parts, "--out", out, "--json"))
    assert (evaluation.product, evaluation.profile) == (SMALL, "embedded")
    assert set(evaluation.columns) == {"rgb", "relief", "colour", "fused", "final"}
    assert evaluation.goods + evaluation.defects == 2
    assert 0 <= evaluation.false_rejects <= evaluation.goods
    final = evaluation.columns["final"]
    assert set(final.aupro) == {"0.3", "0.1", "0.05", "0.01"}
    assert set(final.recall_at) == {"0.0", "0.01", "0.05"}
    assert final.f1 is not None
    assert set(final.families) <= {"colour", "shape", "both"}
    assert evaluation.environment["libraries"]["torch"]
    marked = replace(evaluation, p50_ms=1.5).to_json() + "\n"
    (out / "results.jsonl").write_text(marked)
    assert _run("evaluate", few_parts, "--out", out, "--json") == marked, "kept, not computed again"
    assert "image AUROC by defect family" in " ".join(_run("evaluate", few_parts, "--out", out).split())
    assert "| biscuit |" in (out / "results.md").read_text()
    rows = list(csv.DictReader((out / "results.csv").read_text().splitlines()))
    assert [row["bank"] for row in rows] == ["rgb", "relief", "colour", "fused", "final"]
    assert float(rows[4]["aupro_0.3"]) == final.aupro["0.3"]
    (out / "results.jsonl").unlink()
    (damaged,) = out.glob(f"banks/*/{SMALL}/v1/rgb.faiss")
    damaged.write_bytes(b"")
    refused = _call("evaluate", few_parts, "--out", out)
    assert refused.exit_code == 1
    assert str(damaged.parents[2]) in refused.stderr.replace("\n", "")
    assert "rgb.faiss" in refused.stderr


def test_a_killed_evaluation_goes_on_to_the_same_numbers(few_parts: Path, tmp_path: Path, warm: Warm) -> None:
    recipes = ("--profile", "embedded-point", "--profile", "embedded-rgb")
    command = ("evaluate", str(few_parts), *recipes, "--json", "--out")
    out = tmp_path / "killed"
    killed = warm.start([*command, str(out)], tmp_path / "said", folder=tmp_path)
    features = out / "features"
    # The first profile leaves 5: it dies at the first parts of the second.
    until(
        lambda: killed.poll() is not None or len(list(features.glob("*/*.safetensors"))) >= 6,
        "the features of 6 parts",
    )
    killed.kill()
    assert killed.poll() == -signal.SIGKILL
    log = out / "results.jsonl"
    with log.open("a") as file:
        file.write('{"run": {"product": "bis')  # and with a line half written
    resumed = _evaluated(_run(*command, out))
    whole = _evaluated(_run(*command, tmp_path / "whole"))
    assert list(map(_measured, resumed)) == list(map(_measured, whole))
    assert [one.profile for one in whole] == ["embedded-point", "embedded-rgb"]
    assert _evaluated(_run(*command, out)) == resumed


def test_two_evaluations_do_not_share_an_output_folder(few_parts: Path, tmp_path: Path) -> None:
    with alone_in(tmp_path), pytest.raises(OutputInUse):
        _call("evaluate", few_parts, "--profile", "embedded-point", "--out", tmp_path)
    assert not (tmp_path / "banks").exists()
    with alone_in(tmp_path):
        pass


@pytest.mark.parametrize("fault", [TrainingFailed("The loss is no number."), BadBank("v1 is damaged.")])
def test_a_run_that_fails_stops_no_other_run(fault: Exception, tmp_path: Path) -> None:
    def evaluate(run: Run) -> str:
        if run.product == "first":
            raise fault
        return "finished"

    runs = [Run(product, "autoencoder-rgb") for product in ("first", "second")]
    stand_in: Any = SimpleNamespace(out=tmp_path, evaluate=evaluate)
    finished, failed = run_all(stand_in, runs)
    assert (list(finished), list(failed)) == ([runs[1]], [runs[0]])


def _without(product: Path, kind: str, place: Path) -> Path:
    shutil.copytree(product, place)
    for folder in list(place.rglob(kind)):
        shutil.rmtree(folder)
    return place


def test_images_alone_are_enough_for_the_rgb_bank(few_parts: Path, tmp_path: Path) -> None:
    flat = _without(few_parts, "xyz", tmp_path / "flat")
    out = tmp_path / "out"
    (found,) = _evaluated(_run("evaluate", flat, "--profile", "embedded-rgb", "--json", "--out", out))
    assert (found.trained_on, found.goods + found.defects, dict(found.unusable)) == (2, 2, {})
    assert found.columns["final"].image_auroc is not None
    refused = _call("evaluate", flat, "--profile", "embedded", "--out", out)
    assert refused.exit_code == 1
    assert "recorded without a cloud" in " ".join(refused.output.split())


def test_clouds_alone_are_enough_for_the_point_bank(few_parts: Path, tmp_path: Path) -> None:
    grey = _without(few_parts, "rgb", tmp_path / "grey")
    out = tmp_path / "out"
    (found,) = _evaluated(_run("evaluate", grey, "--profile", "embedded-point", "--json", "--out", out))
    assert (found.trained_on, found.goods + found.defects, dict(found.unusable)) == (2, 2, {})
    refused = _call("evaluate", grey, "--profile", "embedded", "--out", out)
    assert refused.exit_code == 1
    assert "recorded without an image" in " ".join(refused.output.split())


def test_a_user_folder_without_masks_has_image_metrics(small_product: Path, tmp_path: Path) -> None:
    folder = tmp_path / "My Parts"
    shutil.copytree(small_product / "train" / "good", folder / "good")
    defect = next(path for path in sorted((small_product / "test").iterdir()) if path.name != "good")
    shutil.copytree(defect, folder / "spoilt", ignore=shutil.ignore_patterns("gt"))
    found = _run("evaluate", folder, "--profile", "embedded-point", "--json", "--out", tmp_path / "out")
    (evaluation,) = _evaluated(found)
    assert evaluation.product == "My Parts"
    assert evaluation.unmasked == evaluation.defects > 0
    column = evaluation.columns["final"]
    assert column.image_auroc is not None
    assert (column.pixel_auroc, dict(column.aupro)) == (None, {})


def test_what_cannot_be_evaluated_is_said_before_anything_is_built(
    small_product: Path, tmp_path: Path
) -> None:
    out = ("--out", tmp_path / "out")
    with pytest.raises(NotAProductFolder, match="train/good"):
        _run("evaluate", tmp_path, *out)
    with pytest.raises(NothingToEvaluate, match=SMALL):
        _run("evaluate", small_product, "--product", SMALL, "--product", "nothing", *out)
    with pytest.raises(MissingWeights, match="weights fetch dino_vitb8"):
        _run("evaluate", small_product, "--profile", "m3dm-rgb", "--weights-dir", tmp_path, *out)


def test_test_parts_that_cannot_be_read_are_no_evaluation(few_parts: Path, tmp_path: Path) -> None:
    shutil.copytree(few_parts, tmp_path / "parts")
    for cloud in (tmp_path / "parts").rglob("test/*/xyz/*.tiff"):
        cloud.write_bytes(b"no cloud")
    done = _call("evaluate", tmp_path / "parts", "--profile", "embedded-point", "--out", tmp_path / "out")
    assert done.exit_code == 1
    assert "Not evaluated" in done.stderr


def test_bench_times_every_stage(small_product: Path, small_banks: Path) -> None:
    report = json.loads(
        _run(
            "bench", SMALL, small_product, "--banks", small_banks, "--repeats", "2", "--beside", "1", "--json"
        )
    )
    assert {"decode", "prepare", "rgb", "point", "search", "total"} <= report["ms"].keys()
    stages = sum(spread["p50"] for stage, spread in report["ms"].items() if stage != "total")
    assert stages <= 1.05 * report["ms"]["total"]["max"]
    assert report["sgemm_gflops"] > 0
    assert report["numerics"]["networks"] == "openvino"
    assert report["p50_times_sgemm"] == report["sgemm_gflops"] * report["ms"]["total"]["p50"]
    assert report["processor_ms"]["p50"] > 0
    assert max(report[KEY]) == report["ms"]["total"]["max"]
    assert len(report[KEY]) == 2
    assert {"prepare", "rgb", "search", "fusion", "total"} == report["floors"].keys()
    assert all(floor["ms"] > 0 and floor["ratio"] > 0 for floor in report["floors"].values())


def test_bench_takes_banks_of_another_size(small_product: Path, small_banks: Path) -> None:
    options = ("--banks", small_banks, "--repeats", "1", "--json")
    report = json.loads(_run("bench", SMALL, small_product, *options, "--rows", "2500"))
    assert report["rows"] == {"rgb": 2500, "relief": 2500, "colour": 2500, "fused": 2500}
    assert report["versus"] is None


@pytest.mark.parametrize("option", [("--rows", "many"), ("--rows", "0"), ("--versus", "published")])
def test_bench_refuses_what_it_cannot_measure(
    small_product: Path, small_banks: Path, option: tuple[str, str]
) -> None:
    """The default profile was never published."""
    assert _call("bench", SMALL, small_product, "--banks", small_banks, *option).exit_code == 2
