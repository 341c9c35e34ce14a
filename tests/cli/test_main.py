"""The everyday commands, as a person types them."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from typer.testing import CliRunner, Result

from banks.detector import Detector
from banks.versions.builder import BuildError
from banks.versions.manifest import Manifest
from banks.versions.seal import parse, sealed, unsealed
from banks.versions.store import BankNotFound, BankStore
from cli.main import app
from cli.options import chosen_device
from models.readers.product_places import NotAProductFolder
from models.sample import BadSample
from tests.conftest import SMALL
from tests.faults.warm import Warm


def _run(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result


def _part(product: Path) -> tuple[Path, Path]:
    good = product / "test" / "good"
    return min((good / "rgb").iterdir()), min((good / "xyz").iterdir())


def test_score_prints_the_fields_that_programs_read(small_product: Path, small_banks: Path) -> None:
    answer = json.loads(_run("score", SMALL, *_part(small_product), "--banks", small_banks, "--json").stdout)
    fields = "part_id result_id product bank_version score threshold decision banks regions timings_ms"
    assert {*fields.split(), "valid_point_share", "plane_found"} <= answer.keys()
    assert answer["bank_version"] == "v1"
    assert answer["decision"] in ("good", "defective")
    shown = answer["coverage"]
    assert shown["pieces"] == shown["fewest_pieces"] == 1
    assert 0 < shown["least_area_m2"] <= shown["most_area_m2"]
    assert shown["area_m2"] == pytest.approx(shown["most_area_m2"], rel=0.2)


def test_score_takes_a_depth_map_with_its_camera(
    small_product: Path, small_banks: Path, tmp_path: Path
) -> None:
    rgb, cloud = _part(small_product)
    xyz = tifffile.imread(cloud)
    seen = xyz[..., 2] > 0
    lines, columns = np.nonzero(seen)
    (x_slope, x_start), (y_slope, y_start) = (
        np.polyfit(at, xyz[seen][:, axis] / xyz[seen][:, 2], 1) for axis, at in ((0, columns), (1, lines))
    )
    tifffile.imwrite(tmp_path / "depth.tiff", xyz[..., 2])
    centre = {"ppx": -x_start / x_slope, "ppy": -y_start / y_slope}
    size = {"height": xyz.shape[0], "width": xyz.shape[1]}
    camera = {"fx": 1 / x_slope, "fy": 1 / y_slope, "coeffs": [0] * 5} | centre | size
    (tmp_path / "camera.json").write_text(json.dumps(camera))
    depth = (tmp_path / "depth.tiff", "--intrinsics", tmp_path / "camera.json")
    by_depth, by_cloud = (
        json.loads(_run("score", SMALL, rgb, *second, "--banks", small_banks, "--json").stdout)
        for second in (depth, (cloud,))
    )
    assert by_depth["score"] == pytest.approx(by_cloud["score"], rel=0.01)
    (tmp_path / "camera.json").write_text(json.dumps(camera | {"width": 1}))
    with pytest.raises(BadSample) as refused:
        _run("score", SMALL, rgb, *depth, "--banks", small_banks)
    assert refused.value.code == "size_mismatch"


def test_score_takes_three_planes(small_product: Path, small_banks: Path, tmp_path: Path) -> None:
    rgb, cloud = _part(small_product)
    planes = [tmp_path / f"{axis}.tiff" for axis in "xyz"]
    for plane, values in zip(planes, np.moveaxis(tifffile.imread(cloud), 2, 0), strict=True):
        tifffile.imwrite(plane, values)
    by_planes, by_cloud = (
        json.loads(_run("score", SMALL, rgb, *files, "--banks", small_banks, "--json").stdout)
        for files in (planes, (cloud,))
    )
    assert by_planes["score"] == by_cloud["score"]
    for files in (planes[:2], [*planes, "--intrinsics", tmp_path / "camera.json"]):
        refused = CliRunner().invoke(app, ["score", SMALL, *map(str, (rgb, *files))])
        assert (refused.exit_code, "XYZ" in refused.output) == (2, True)


def test_score_writes_every_bank(small_product: Path, small_banks: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.bin"
    shown = _run("score", SMALL, *_part(small_product), "--bank", small_banks, "-o", out).stdout
    assert "threshold" in shown
    assert re.search(r"^banks: rgb [\d.]+, relief [\d.]+, colour [\d.]+, fused [\d.]+$", shown, re.MULTILINE)
    with np.load(out, allow_pickle=False) as found:
        assert found["fused_distances"].shape == (784,)
        assert found["map"].shape == (224, 224)
        assert np.isfinite(found["fused_score"])


def test_score_refuses_with_a_sentence(small_product: Path, small_banks: Path, tmp_path: Path) -> None:
    rgb, xyz = _part(small_product)
    with pytest.raises(BankNotFound, match="tribank build"):
        _run("score", "cookie", rgb, xyz, "--banks", small_banks)
    with pytest.raises(BadSample):
        _run("score", SMALL, rgb, rgb, "--banks", small_banks)


def test_a_folder_in_place_of_a_file_is_refused_with_a_sentence(tmp_path: Path, warm: Warm) -> None:
    file = tmp_path / "file"
    file.touch()
    for command in (("openapi", "-o", tmp_path), ("keys", "add", "line1", "--state", file)):
        status, said = warm.run(*command)
        assert status == 2, said
        assert said.startswith("tribank: ")
        assert said.count("\n") == 1


def test_an_impossible_profile_is_refused_before_a_part_is_read(tmp_path: Path, warm: Warm) -> None:
    """The parts are no images: whoever opens one fails otherwise."""
    for kind, suffix in (("rgb", "png"), ("xyz", "tiff")):
        (tmp_path / "train" / "good" / kind).mkdir(parents=True)
        (tmp_path / "train" / "good" / kind / f"000.{suffix}").write_bytes(b"no image")
    for change in ("decision=foo", "false_reject_rate=1", "banks.rgb.reweighting.neighbours=0"):
        status, said = warm.run("build", "cookie", tmp_path, "--set", change, "--banks", tmp_path / "banks")
        assert status == 2, said
        assert said.startswith("tribank: ")
        assert said.count("\n") == 1
        assert change.partition("=")[0].rpartition(".")[2] in said
    status, said = warm.run("build", "Not A", tmp_path, "--banks", tmp_path / "banks")
    assert (status, "Not A" in said) == (2, True), said
    (tmp_path / "camera-7.json").write_text('{"unit": "mm"}')
    words = ("--sensor", tmp_path / "camera-7.json", "--banks", tmp_path / "banks")
    status, said = warm.run("build", "cookie", tmp_path, *words)
    assert (status, "camera-7.json" in said) == (2, True), said


@pytest.mark.parametrize("command", [("build", "cookie"), ("evaluate",)])
@pytest.mark.parametrize("seed", ["-1", "4294967296"])
def test_a_seed_that_no_library_takes_is_refused_before_a_part_is_read(
    command: tuple[str, ...], seed: str, tmp_path: Path
) -> None:
    asked = CliRunner().invoke(app, [*command, str(tmp_path), "--seed", seed])
    assert asked.exit_code == 2
    assert "--seed" in asked.output


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is here")
def test_a_gpu_that_is_asked_for_is_never_replaced_by_the_cpu() -> None:
    assert chosen_device("auto") == "cpu"
    asked = CliRunner().invoke(app, ["serve", "--device", "cuda"])
    assert asked.exit_code == 2
    assert "--device" in asked.output


def test_a_declared_value_is_no_return_in_build_and_score(
    few_parts: Path, declared_product: Path, tmp_path: Path
) -> None:
    quick = ("--profile", "embedded-point", "--banks", tmp_path)
    _run("build", "plain", few_parts, *quick)
    with pytest.raises(BuildError, match="no_return=NUMBER"):
        _run("build", "declared", declared_product, *quick)
    _run("build", "declared", declared_product, *quick, "--set", "preparation.no_return=9999")
    plain, declared = (
        json.loads(_run("score", name, *_part(product), "--banks", tmp_path, "--json").stdout)
        for name, product in (("plain", few_parts), ("declared", declared_product))
    )
    assert declared["score"] == plain["score"]
    assert declared["threshold"] == plain["threshold"]
    assert declared["valid_point_share"] == plain["valid_point_share"] < 1


def test_a_bank_from_before_a_value_could_be_declared_is_served(small_banks: Path, tmp_path: Path) -> None:
    copy = tmp_path / "banks"
    shutil.copytree(small_banks, copy)
    manifest = BankStore(copy).path(SMALL) / "manifest.json"
    facts = unsealed(parse(manifest.read_bytes()))
    assert facts["profile"]["preparation"].pop("no_return", 0) is None
    manifest.write_text(sealed(facts))
    assert Detector.load(manifest.parent).manifest.profile.preparation.no_return is None


def test_banks_list_show_and_verify(small_banks: Path, tmp_path: Path) -> None:
    copy = tmp_path / "banks"
    shutil.copytree(small_banks, copy)
    assert json.loads(_run("banks", "list", "--banks", copy, "--json").stdout) == {
        SMALL: {"active": "v1", "versions": ["v1"]}
    }
    assert "held-out good parts" in _run("banks", "show", SMALL, "--banks", copy).stdout
    assert json.loads(_run("banks", "show", SMALL, "--banks", copy, "--json").stdout)["product"] == SMALL
    assert f"{SMALL} v1: complete" in _run("banks", "verify", "--banks", copy).stdout
    scored = _run("banks", "verify", "--probe", "--banks", copy).stdout
    assert f"{SMALL} v1: complete, and its probe" in scored
    (BankStore(copy).path(SMALL) / "rgb.faiss").unlink()
    damaged = CliRunner().invoke(app, ["banks", "verify", "--banks", str(copy)])
    assert damaged.exit_code == 1
    assert "rgb.faiss: missing" in damaged.stdout


def test_profiles_say_what_is_missing(tmp_path: Path) -> None:
    rows = json.loads(_run("profiles", "--json", "--weights-dir", tmp_path).stdout)
    missing = {row["name"]: row["missing_weights"] for row in rows}
    assert missing["embedded"] == []
    assert missing["m3dm"][:2] == ["dino_vitb8", "pointmae"]


def test_profiles_fit_a_narrow_terminal() -> None:
    lines = _run("profiles").stdout.splitlines()
    assert lines[0].split() == ["embedded", "rgb", "relief", "colour", "fused", "tail"]
    assert max(map(len, lines)) <= 79


def test_plan_tells_what_a_folder_will_cost(small_product: Path) -> None:
    planned = json.loads(_run("plan", small_product, "--json").stdout)
    assert (planned["parts"], set(planned["banks"])) == (5, {"rgb", "relief", "colour", "fused"})
    told = _run("plan", small_product, "--parts", "7", "--set", "coreset=0.05").stdout
    assert "embedded, 224 x 224 points, 7 training parts; times measured on the first part" in told


def test_plan_of_an_extended_version_has_its_profile_and_its_parts(
    few_parts: Path, small_banks: Path
) -> None:
    version = small_banks / SMALL / "v1"
    manifest = Manifest.read(version)
    planned = json.loads(_run("plan", few_parts, "--json", "--extend", version).stdout)
    assert planned["parts"] == len(manifest.training_parts) + 2
    assert (planned["profile"], set(planned["banks"])) == (manifest.profile.name, set(manifest.banks))


def test_plan_reads_the_part_as_it_is_declared(
    few_parts: Path, declared_product: Path, tmp_path: Path
) -> None:
    (tmp_path / "sensor.json").write_text('{"invalid": 9999}')
    quick = ("--profile", "embedded-point", "--json")
    plain = json.loads(_run("plan", few_parts, *quick).stdout)
    with pytest.raises(BadSample, match="no_return=NUMBER"):
        _run("plan", declared_product, *quick)
    declared = json.loads(_run("plan", declared_product, *quick, "--sensor", tmp_path / "sensor.json").stdout)
    assert declared["banks"]["point"]["rows"] == plain["banks"]["point"]["rows"]
    asked = CliRunner().invoke(app, ["plan", "--xyz-unit", "mm"])
    assert asked.exit_code == 2


def test_plan_of_a_folder_without_training_parts_says_so(small_product: Path, tmp_path: Path) -> None:
    shutil.copytree(small_product / "validation", tmp_path / "validation")
    with pytest.raises(NotAProductFolder, match="training"):
        _run("plan", tmp_path)


def test_trace_writes_the_stages_a_profile_has(small_product: Path, tmp_path: Path) -> None:
    out = tmp_path / "trace.npz"
    _run("trace", *_part(small_product), "-o", out)
    with np.load(out, allow_pickle=False) as found:
        assert found["rgb_patch"].shape[0] == 784
        assert len(found["valid_index"]) > 1000
        assert "fps_index" not in found


def test_train_uff_writes_where_profiles_look(small_product: Path, tmp_path: Path) -> None:
    shutil.copytree(small_product / "train" / "good", tmp_path / "parts", ignore=_but_the_first_two)
    (tmp_path / "parts" / "rgb" / "alone.png").write_bytes(b"no cloud has this name")
    settings = {"steps": 1, "warm_up": 1, "batch": 1}
    changes = [f"--set=extraction.training.{name}={value}" for name, value in settings.items()]
    command = ["train-uff", tmp_path / "parts", "--profile", "embedded", "--weights-dir", tmp_path, *changes]
    told = _run(*command)
    assert "extraction.fusion=uff" in told.stdout
    assert "skipped: parts: alone:" in told.stderr
    assert (tmp_path / "uff.safetensors").is_file()
    again = CliRunner().invoke(app, [str(word) for word in command])
    assert again.exit_code == 2
    assert "exists" in again.output


def _but_the_first_two(folder: str, names: list[str]) -> list[str]:
    return sorted(names)[2:]


@pytest.mark.parametrize(
    "command", [[], ["build"], ["score"], ["serve"], ["trace"], ["train-uff"], ["banks", "show"]]
)
def test_help(command: list[str]) -> None:
    assert "Usage" in _run(*command, "--help").stdout


def test_a_name_with_brackets_or_other_bytes_is_shown_whole(
    small_product: Path, small_banks: Path, tmp_path: Path
) -> None:
    rgb, xyz = _part(small_product)
    for name, shown in ((b"7[left].png", "7[left]"), (b"h\xe4[x].png", "h\\xe4[x]")):
        copy = tmp_path / os.fsdecode(name)
        shutil.copy(rgb, copy)
        assert shown in _run("score", SMALL, copy, xyz, "--banks", small_banks).stdout
