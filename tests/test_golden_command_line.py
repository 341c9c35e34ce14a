"""The published method through the command line alone: official weight files in, the published values out.

Seed 7 is held against what the authors' own code computed (tests/data/golden/README.md). Any other seed is
held against tests/published.py, which tests/test_published.py holds against the golden values.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from tests.conftest import Tribank
from tests.golden_inputs import pair, write_product, write_weights
from tests.golden_values import BANKS, Arrays, Yardstick, compare_scores, compare_stages

PRODUCT = "disc"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=[7, 11])
def yardstick(request: pytest.FixtureRequest, recipe: ModuleType, golden: Arrays) -> Yardstick:
    if request.param == 7:
        return Yardstick(recipe, 7, (0, 2, 4), (1, 3, 5), (6, 7), golden)
    return Yardstick(recipe, request.param, (20, 22), (21, 23), (23,), {})


@pytest.fixture(scope="module")
def weights_dir(yardstick: Yardstick, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The official files under their usual names and in their layouts, with what they hold beside."""
    folder = tmp_path_factory.mktemp("weights")
    write_weights(yardstick.recipe, folder, ("dino_vitb8", "pointmae", "uff"), yardstick.seed)
    return folder


@pytest.fixture(scope="module")
def data(yardstick: Yardstick, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The recipe's parts as an MVTec-layout product that is already prepared."""
    folder = tmp_path_factory.mktemp("data") / PRODUCT
    splits = {"train": yardstick.train, "validation": yardstick.held_out, "test": yardstick.test}
    write_product(yardstick.recipe, folder, splits)
    return folder


def test_trace(yardstick: Yardstick, data: Path, weights_dir: Path, tmp_path: Path, tribank: Tribank) -> None:
    out = tmp_path / "trace.npz"
    options = ("--profile", "m3dm-paper-code", "--prepared", "--weights-dir", weights_dir, "-o", out)
    tribank("trace", *pair(data, "test", yardstick.test[-1]), *options)
    values = yardstick.values
    with np.load(out, allow_pickle=False) as found:
        assert found["valid_index"].shape == (int(values["n_points"]),)
        stages = {
            "fps_index": found["fps_index"],
            "knn_index_first8_groups": found["knn_index"][:8],
            "group_features": found["group_features"][::16],
            "interpolated": found["interpolated"][values["interp_rows"]],
            "rgb_patch": found["rgb_patch"][::12],
            "xyz_patch": found["point_patch"][values["rows"]],
            "fused_patch": found["fused_patch"][values["rows"]],
        }
    compare_stages(stages, values)


def test_build_and_score(
    yardstick: Yardstick, data: Path, weights_dir: Path, tmp_path: Path, tribank: Tribank
) -> None:
    """The whole library is the bank, and the decision is fitted on the held-out parts."""
    common = ("--banks", tmp_path, "--weights-dir", weights_dir, "--prepared")
    held_out = len(yardstick.held_out)
    changes = (
        "--set",
        "coreset=1",
        "--set",
        "decision_fit=held-out",
        "--set",
        f"calibration_parts={held_out}",
    )
    tribank("build", PRODUCT, data, "--profile", "m3dm-paper-code", *changes, *common)
    for index, number in enumerate(yardstick.test):
        out, part = tmp_path / f"{number}.npz", f"t{index}"
        tribank("score", PRODUCT, *pair(data, "test", number), "-o", out, *common)
        with np.load(out, allow_pickle=False) as file:
            found = {f"{part}_detect": file["score"], f"{part}_segment_8": file["map"][::8, ::8]}
            for ours, theirs in BANKS.items():
                found[f"{part}_{theirs}_score"] = file[f"{ours}_score"]
                found[f"{part}_{theirs}_nn_dist"] = file[f"{ours}_distances"]
                found[f"{part}_{theirs}_map_8"] = file[f"{ours}_map"][::8, ::8]
        compare_scores(found, yardstick.values, part)
