"""The published method through the command line alone: official weight files in, the published values out.

Seed 7 is held against what the authors' own code computed (tests/data/golden/README.md). Its other test part
is in tests/banks/test_golden_banks.py. Another seed is held against what tests/published.py computes, with
fewer and smaller point groups. tests/test_published.py holds that code against the golden values.
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
    Arrays,
    Yardstick,
    compare_scores,
    compare_stages,
    golden_folder,
    golden_trace,
    golden_yardstick,
    kept_yardstick,
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=[7, 11])
def yardstick(request: pytest.FixtureRequest, recipe: ModuleType, golden: Arrays) -> Yardstick:
    return golden_yardstick(recipe, golden) if request.param == 7 else kept_yardstick(recipe)


def test_trace(yardstick: Yardstick, made_once: MadeOnce, tribank: Tribank) -> None:
    values = yardstick.values
    with np.load(golden_trace(yardstick, made_once, tribank), allow_pickle=False) as found:
        assert found["valid_index"].shape == (int(values["n_points"]),)
        assert found["knn_index"].shape == (yardstick.groups, yardstick.neighbours)
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


def test_build_and_score(yardstick: Yardstick, made_once: MadeOnce, tmp_path: Path, tribank: Tribank) -> None:
    folder, out, part = golden_folder(yardstick, made_once, tribank), tmp_path / "scored.npz", yardstick.last
    places = ("--banks", folder / "banks", "--weights-dir", folder / "weights", "-o", out)
    tribank("score", PRODUCT, *pair(folder / "data", "test", yardstick.test[-1]), "--prepared", *places)
    with np.load(out, allow_pickle=False) as file:
        found = {f"{part}_detect": file["score"], f"{part}_segment_8": file["map"][::8, ::8]}
        for ours, theirs in BANKS.items():
            found[f"{part}_{theirs}_score"] = file[f"{ours}_score"]
            found[f"{part}_{theirs}_nn_dist"] = file[f"{ours}_distances"]
            found[f"{part}_{theirs}_map_8"] = file[f"{ours}_map"][::8, ::8]
    compare_scores(found, yardstick.values, part)
