from __future__ import annotations

import json
import re

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from cli.data import app
from models.readers.product_folder import open_product_folder


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": "200"})


@pytest.fixture
def candy(tmp_path, eyecandies_class):
    eyecandies_class(tmp_path / "raw" / "CandyCane")
    return tmp_path / "raw"


def test_check_tells_people_and_machines(tmp_path, mvtec3d_category):
    mvtec3d_category(tmp_path / "rope", (90, 40))
    (tmp_path / "rope" / "test" / "hole" / "xyz" / "000.tiff").unlink()
    shown = run("check", tmp_path)
    assert shown.exit_code == 0
    assert "train 1, validation 1, test good 1, test combined 1" in shown.stdout
    assert re.search(r"rope: 1 training parts.* 298\.", shown.stdout)
    assert "Missing: bagel, cable_gland" in shown.stdout
    document = json.loads(run("check", tmp_path, "--json").stdout)
    assert document["products"][0]["counts"]["train"] == 1
    assert document["missing"][0] == "bagel"


def test_check_fails_on_a_folder_it_does_not_know(tmp_path):
    result = run("check", tmp_path)
    assert result.exit_code == 1
    assert "MVTec 3D-AD" in result.stderr


def test_eyecandies_converts_with_the_scripts_choices(candy, tmp_path):
    result = run("convert", "eyecandies", candy, tmp_path / "out", "--light", "4", "--train", "1")
    assert result.exit_code == 0, result.stderr
    folder = open_product_folder(tmp_path / "out" / "CandyCane")
    assert (len(folder.train), len(folder.validation), len(folder.test)) == (1, 1, 3)
    assert folder.train[0].read().rgb[0, 0, 0] == 4
    assert (
        "exists already"
        in run("convert", "eyecandies", candy, tmp_path / "out", "--light", "4", "--train", "1").stderr
    )
    other = run("convert", "eyecandies", candy, tmp_path / "out")
    assert other.exit_code == 1
    assert "Remove it or" in other.stderr


def test_a_skipped_part_fails_the_conversion_but_keeps_the_rest(candy, tmp_path):
    (candy / "CandyCane" / "val" / "data" / "000_pose.txt").unlink()
    result = run("convert", "eyecandies", candy, tmp_path / "out")
    assert result.exit_code == 1
    assert "Skipped val/000" in result.stderr
    out = tmp_path / "out" / "CandyCane"
    assert len(open_product_folder(out).train) == 2
    again = run("convert", "eyecandies", candy, tmp_path / "out")
    assert again.exit_code == 1
    assert "Skipped val/000" in again.stderr


def test_nothing_to_convert_is_said(tmp_path):
    assert "no Eyecandies class" in run("convert", "eyecandies", tmp_path, tmp_path / "out").stderr
    assert "has no depth maps. Expected" in run("convert", "depth", tmp_path, tmp_path / "out").stderr


def test_depth_converts(tmp_path):
    (tmp_path / "in" / "depth").mkdir(parents=True)
    Image.fromarray(np.full((40, 50), 700, np.uint16)).save(tmp_path / "in" / "depth" / "0.png")
    (tmp_path / "in" / "intrinsics.json").write_text('{"fx": 50, "fy": 50, "cx": 25, "cy": 20}')
    result = run("convert", "depth", tmp_path / "in", tmp_path / "out")
    assert result.exit_code == 0, result.stderr
    sample = open_product_folder(tmp_path / "out").train[0].read()
    np.testing.assert_allclose(sample.xyz[20, 25], [0, 0, 0.7], atol=1e-6)


@pytest.fixture
def depths(tmp_path):
    """Two depth maps, 40 x 50, of a plane 0.7 m away, without intrinsics."""
    folder = tmp_path / "in"
    (folder / "depth").mkdir(parents=True)
    for name in ("0", "1"):
        Image.fromarray(np.full((40, 50), 700, np.uint16)).save(folder / "depth" / f"{name}.png")
    return folder


def corner(out):
    """x of the first pixel of the first part, metres."""
    return float(open_product_folder(out).train[0].read().xyz[0, 0, 0])


def test_mended_or_other_intrinsics_convert_again(depths, tmp_path):
    out = tmp_path / "out"
    camera = {"width": 50, "height": 40, "fx": 50, "fy": 50, "ppx": 25, "ppy": 20}

    def convert(**changes):
        (depths / "intrinsics.json").write_text(json.dumps(camera | changes))
        result = run("convert", "depth", depths, out)
        return result.exit_code, result.stdout.strip().removeprefix(f"{out}: "), result.stderr

    code, told, why = convert(coeffs=[0.1])
    assert (code, told) == (1, "written, without 2 of 2 parts")
    assert "Undistort" in why
    assert convert() == (0, "written", "")
    assert corner(out) == pytest.approx(-0.35)
    assert convert() == (0, "exists already", "")
    assert convert(fx=100) == (0, "written", "")
    assert corner(out) == pytest.approx(-0.175)
    code, _, why = convert(width=640)
    assert (code, why.count("Skipped ")) == (1, 2)


def test_other_depth_maps_convert_again(depths, tmp_path):
    (depths / "intrinsics.json").write_text('{"fx": 50, "fy": 50, "cx": 25, "cy": 20}')
    assert "written" in run("convert", "depth", depths, tmp_path / "out").stdout
    Image.fromarray(np.full((40, 50), 800, np.uint16)).save(depths / "depth" / "0.png")
    assert "written" in run("convert", "depth", depths, tmp_path / "out").stdout
    assert corner(tmp_path / "out") == pytest.approx(-0.4)
