from __future__ import annotations

import json

import numpy as np
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from cli.metrics import metrics
from evaluation.metrics.detection import image_auroc, pixel_metrics

app = typer.Typer()
app.command()(metrics)


@pytest.fixture
def folders(tmp_path):
    """Four parts, two of them defective: maps, masks and scores of the same names."""
    draw = np.random.default_rng(0)
    for name in ("maps", "masks"):
        (tmp_path / name).mkdir()
    for index in range(4):
        mask = np.zeros((32, 32), np.uint8)
        mask[4 : 4 + 3 * (index % 2), 6:20] = 255
        np.save(
            tmp_path / "maps" / f"{index:03d}.npy", draw.random((32, 32), np.float32) + mask / np.float32(510)
        )
        Image.fromarray(mask).save(tmp_path / "masks" / f"{index:03d}.png")
    (tmp_path / "scores.csv").write_text("name,score\n000,0.2\n001,0.9\n002,0.4\n003,0.3\n")
    return tmp_path


def run(folders, *more):
    return CliRunner().invoke(
        app,
        ["--maps", str(folders / "maps"), "--masks", str(folders / "masks"), *more],
        env={"COLUMNS": "100"},
    )


def test_json_has_the_promised_keys_and_the_librarys_numbers(folders):
    document = json.loads(run(folders, "--scores", str(folders / "scores.csv"), "--json").stdout)
    pairs = [
        (np.load(folders / "maps" / f"00{i}.npy"), np.asarray(Image.open(folders / "masks" / f"00{i}.png")))
        for i in range(4)
    ]
    expected = pixel_metrics(pairs)
    assert document["pixel_auroc"] == expected.pixel_auroc
    assert list(document["aupro"]) == list(document["aupro_exact"]) == ["0.3", "0.1", "0.05", "0.01"]
    assert document["aupro"]["0.3"] == expected.aupro[0.3]
    assert document["aupro_exact"]["0.01"] == expected.aupro_exact[0.01]
    assert document["image_auroc"] == image_auroc([0.2, 0.9, 0.4, 0.3], [0, 1, 0, 1]) == 0.75
    assert (document["f1_threshold"], document["f1"]) == (0.25, 0.8)
    assert document["recall_at_false_reject_rate"]["0.0"]["recall"] == 0.5
    assert (document["parts"], document["defective_parts"], document["notes"]) == (4, 2, [])


def test_without_scores_there_are_no_image_metrics(folders):
    assert "image_auroc" not in json.loads(run(folders, "--json").stdout)


def test_a_table_for_people(folders):
    result = run(folders, "--scores", str(folders / "scores.csv"))
    assert result.exit_code == 0
    assert "AUPRO to 0.3 (MVTec)" in result.stdout
    assert "recall at false-reject rate 0.01 (0 of 2 good parts rejected)" in result.stdout


def test_a_missing_mask_is_an_error_unless_it_means_good(folders):
    (folders / "masks" / "000.png").unlink()
    result = run(folders, "--json")
    assert result.exit_code == 1
    assert "has no mask for 1 map (000)" in result.stderr
    assert "--missing-mask good" in result.stderr
    document = json.loads(run(folders, "--json", "--missing-mask", "good").stdout)
    assert document["defective_parts"] == 2
    assert len(document["notes"]) == 1
    assert document["notes"][0].endswith(": 1 map (000)")


def test_all_parts_defective_still_gives_pixel_metrics(folders):
    for index in (0, 2):
        (folders / "maps" / f"00{index}.npy").unlink()
    document = json.loads(run(folders, "--json", "--scores", str(folders / "scores.csv")).stdout)
    assert document["image_auroc"] is None
    assert document["pixel_auroc"] > 0.5
    assert len(document["notes"]) == 3


def test_mistakes_end_in_one_sentence(folders):
    (folders / "scores.csv").write_text("000,1\n")
    result = run(folders, "--scores", str(folders / "scores.csv"))
    assert result.exit_code == 1
    assert "has no score for 3 maps (001, 002, 003)" in result.stderr
    for path in (folders / "masks").iterdir():
        Image.fromarray(np.zeros((32, 32), np.uint8)).save(path)
    assert "no mask shows a defect" in run(folders).stderr
