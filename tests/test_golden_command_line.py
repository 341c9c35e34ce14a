"""The published method through the command line alone: official weight files in, golden values out.

The weights are the recipe's, written in the layouts of the official checkpoints. tests/data/golden/README.md
says how the values were made.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import tifffile
import torch
from numpy.typing import NDArray
from PIL import Image

PRODUCT = "disc"
TRAIN, HELD_OUT, TEST = (0, 2, 4), (1, 3, 5), (6, 7)
BANKS = {"rgb": "rgb", "point": "xyz", "fused": "fusion"}
"""Our bank names, and the golden file's."""

pytestmark = pytest.mark.slow
Arrays = Mapping[str, NDArray[Any]]


@pytest.fixture(scope="module")
def weights_dir(recipe: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The official files under their usual names and in their layouts, with what they hold beside."""
    from models.point_network import PointTransformer
    from models.rgb_backbones import rgb_backbone, timm
    from models.uff import FusionNetwork

    folder = tmp_path_factory.mktemp("weights")
    dino = timm.create_model(rgb_backbone("dino_vitb8").model, pretrained=False)
    torch.save(recipe.fill(dino.state_dict(), 7), folder / "dino_vitbase8_pretrain.pth")
    points = recipe.fill(PointTransformer("pointmae", "sample").state_dict(), 7)
    model = {f"module.MAE_encoder.{key}": tensor for key, tensor in points.items()}
    model |= {"module.mask_token": torch.zeros(1, 1, 384), "module.MAE_decoder.norm.bias": torch.zeros(384)}
    torch.save({"base_model": model, "epoch": 300, "metrics": {}}, folder / "pretrain.pth")
    fusion = recipe.fill(FusionNetwork(768, 1152).state_dict(), 7)
    torch.save({"model": fusion, "epoch": 3, "args": argparse.Namespace(lr=0.003)}, folder / "uff.pth")
    return folder


@pytest.fixture(scope="module")
def data(recipe: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The recipe's parts as an MVTec-layout product that is already prepared."""
    folder = tmp_path_factory.mktemp("data") / PRODUCT
    splits = {"train": TRAIN, "validation": HELD_OUT, "test": TEST}
    for split, parts in splits.items():
        for number in parts:
            rgb, xyz = recipe.sample(number)
            for kind in ("rgb", "xyz"):
                (folder / split / "good" / kind).mkdir(parents=True, exist_ok=True)
            Image.fromarray(rgb).save(folder / split / "good" / "rgb" / f"{number:03}.png")
            cloud = folder / split / "good" / "xyz" / f"{number:03}.tiff"
            tifffile.imwrite(cloud, xyz, photometric="rgb")
    return folder


def _tribank(*arguments: str | Path) -> None:
    command = [sys.executable, "-m", "tribank", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _pair(data: Path, number: int) -> tuple[Path, Path]:
    good = data / "test" / "good"
    return good / "rgb" / f"{number:03}.png", good / "xyz" / f"{number:03}.tiff"


def test_trace(golden: Arrays, data: Path, weights_dir: Path, tmp_path: Path) -> None:
    out = tmp_path / "trace.npz"
    options = ("--profile", "m3dm-paper-code", "--prepared", "--weights-dir", weights_dir, "-o", out)
    _tribank("trace", *_pair(data, 7), *options)
    with np.load(out, allow_pickle=False) as found:
        np.testing.assert_array_equal(found["fps_index"], golden["fps_index"])
        ours = np.sort(found["knn_index"][:8])
        np.testing.assert_array_equal(ours, np.sort(golden["knn_index_first8_groups"]))
        assert found["valid_index"].shape == (int(golden["n_points"]),)
        compared = {
            "group_features": found["group_features"][::16],
            "interpolated": found["interpolated"][golden["interp_rows"]],
            "rgb_patch": found["rgb_patch"][::12],
            "xyz_patch": found["point_patch"][golden["rows"]],
            "fused_patch": found["fused_patch"][golden["rows"]],
        }
    for name, values in compared.items():
        np.testing.assert_allclose(values, golden[name], atol=1e-3, rtol=0, err_msg=name)


def test_build_and_score(golden: Arrays, data: Path, weights_dir: Path, tmp_path: Path) -> None:
    """The whole library is the bank, and the decision is fitted on parts 1, 3, 5, as in the golden set."""
    common = ("--banks", tmp_path, "--weights-dir", weights_dir, "--prepared")
    changes = ("--set", "coreset=1", "--set", "decision_fit=held-out", "--set", "calibration_parts=3")
    _tribank("build", PRODUCT, data, "--profile", "m3dm-paper-code", *changes, *common)
    for index, number in enumerate(TEST):
        out = tmp_path / f"{number}.npz"
        _tribank("score", PRODUCT, *_pair(data, number), "-o", out, *common)
        with np.load(out, allow_pickle=False) as file:
            _compare({key: file[key] for key in file}, golden, f"t{index}")


def _compare(found: Mapping[str, NDArray[np.floating]], golden: Arrays, part: str) -> None:
    for ours, theirs in BANKS.items():
        assert found[f"{ours}_score"] == pytest.approx(float(golden[f"{part}_{theirs}_score"]), rel=2e-3)
        step = float(found[f"{ours}_distances"].max()) / 255  # the published code scales by it, then blurs
        expected = golden[f"{part}_{theirs}_map_8"]
        np.testing.assert_allclose(found[f"{ours}_map"][::8, ::8], expected, atol=step, err_msg=ours)
    for ours, theirs in (("rgb", "rgb"), ("fused", "fusion")):  # the point bank's own float32 noise is larger
        expected = golden[f"{part}_{theirs}_nn_dist"]
        np.testing.assert_allclose(found[f"{ours}_distances"], expected, rtol=2e-3, err_msg=ours)
    assert found["score"] == pytest.approx(golden[f"{part}_detect"].item(), rel=0.02)
    np.testing.assert_allclose(found["map"][::8, ::8], golden[f"{part}_segment_8"], rtol=0.02)
