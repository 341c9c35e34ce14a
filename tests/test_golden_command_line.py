"""The published method through the command line alone: official weight files in, the published values out.

Seed 7 is held against what the authors' own code computed (tests/data/golden/README.md). Any other seed is
held against tests/published.py, which tests/test_published.py holds against the golden values.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from tests.conftest import MadeOnce, Tribank
from tests.golden_inputs import pair
from tests.golden_values import (
    BANKS,
    PRODUCT,
    PROFILE,
    Arrays,
    Yardstick,
    compare_scores,
    compare_stages,
    golden_folder,
    golden_yardstick,
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=[7, 11])
def yardstick(request: pytest.FixtureRequest, recipe: ModuleType, golden: Arrays) -> Yardstick:
    if request.param == 7:
        return golden_yardstick(recipe, golden)
    return Yardstick(recipe, request.param, (20, 22), (21, 23), (23,), {})


@pytest.fixture(scope="module")
def folder(yardstick: Yardstick, made_once: MadeOnce, tribank: Tribank) -> Path:
    return golden_folder(yardstick, made_once, tribank)


def test_trace(yardstick: Yardstick, folder: Path, tmp_path: Path, tribank: Tribank) -> None:
    out = tmp_path / "trace.npz"
    options = ("--profile", PROFILE, "--prepared", "--weights-dir", folder / "weights", "-o", out)
    tribank("trace", *pair(folder / "data", "test", yardstick.test[-1]), *options)
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


def test_build_and_score(yardstick: Yardstick, folder: Path, tmp_path: Path, tribank: Tribank) -> None:
    places = ("--banks", folder / "banks", "--weights-dir", folder / "weights")
    for index, number in enumerate(yardstick.test):
        out, part = tmp_path / f"{number}.npz", f"t{index}"
        tribank("score", PRODUCT, *pair(folder / "data", "test", number), "-o", out, "--prepared", *places)
        with np.load(out, allow_pickle=False) as file:
            found = {f"{part}_detect": file["score"], f"{part}_segment_8": file["map"][::8, ::8]}
            for ours, theirs in BANKS.items():
                found[f"{part}_{theirs}_score"] = file[f"{ours}_score"]
                found[f"{part}_{theirs}_nn_dist"] = file[f"{ours}_distances"]
                found[f"{part}_{theirs}_map_8"] = file[f"{ours}_map"][::8, ::8]
        compare_scores(found, yardstick.values, part)
