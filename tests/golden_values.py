"""What the published method makes of the golden recipe's parts, for any seed, and what counts as equal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.conftest import MadeOnce, Tribank
from tests.golden_inputs import link_weights, pair, write_product

Arrays = Mapping[str, NDArray[Any]]
PRODUCT, PROFILE = "disc", "m3dm-paper-code"
KEPT = Path(__file__).parent / "data" / "published"
"""What tests/published.py computes, written down by tests/published_values.py: a file a seed."""
BANKS = {"rgb": "rgb", "point": "xyz", "fused": "fusion"}
"""Our bank names, and the golden file's."""


@dataclass
class Yardstick:
    """A seed, its parts, and what the published method makes of them, under the golden file's keys.

    train: whole libraries are the banks.
    held_out: the decision layer is fitted on them.
    test: the last of them is traced and scored.
    values: what the product is held against.
    groups, neighbours: point groups of a part, and points of a group; the defaults are the published ones.
    """

    recipe: ModuleType
    seed: int
    train: tuple[int, ...]
    held_out: tuple[int, ...]
    test: tuple[int, ...]
    values: Arrays
    groups: int = 1024
    neighbours: int = 128

    @property
    def last(self) -> str:
        """Under which name the golden file has the last test part."""
        return f"t{len(self.test) - 1}"

    @property
    def options(self) -> tuple[str, ...]:
        """Of `tribank build` and `tribank trace`."""
        groups = (f"point.groups={self.groups}", f"point.group_size={self.neighbours}")
        return ("--profile", PROFILE, "--prepared", *(f"--set=extraction.{change}" for change in groups))


def golden_folder(yardstick: Yardstick, made_once: MadeOnce, tribank: Tribank) -> Path:
    """A folder with `weights`, `data` and `banks`: the official files, the recipe's parts as a prepared
    product, and the version that `tribank build` makes of them.

    The whole library is the bank, and the decision is fitted on the held-out parts.
    """

    def make(folder: Path) -> None:
        weights = folder / "weights"
        weights.mkdir()
        link_weights(yardstick.recipe, made_once, weights, ("dino_vitb8", "pointmae", "uff"), yardstick.seed)
        splits = {"train": yardstick.train, "validation": yardstick.held_out, "test": yardstick.test}
        write_product(yardstick.recipe, folder / "data", splits)
        settings = ("coreset=1", "decision_fit=held-out", f"calibration_parts={len(yardstick.held_out)}")
        changes = [f"--set={setting}" for setting in settings]
        places = ("--banks", folder / "banks", "--weights-dir", weights)
        tribank("build", PRODUCT, folder / "data", *yardstick.options, *changes, *places)

    return made_once(f"golden-{yardstick.seed}", make)


def golden_trace(yardstick: Yardstick, made_once: MadeOnce, tribank: Tribank) -> Path:
    """The file that `tribank trace` writes of the last test part."""
    inputs = golden_folder(yardstick, made_once, tribank)

    def make(folder: Path) -> None:
        part = pair(inputs / "data", "test", yardstick.test[-1])
        places = ("--weights-dir", inputs / "weights", "-o", folder / "trace.npz")
        tribank("trace", *part, *yardstick.options, *places)

    return made_once(f"golden-trace-{yardstick.seed}", make) / "trace.npz"


def golden_yardstick(recipe: ModuleType, golden: Arrays) -> Yardstick:
    """Seed 7, whose values the authors' own code computed."""
    return Yardstick(recipe, 7, (0, 2, 4), (1, 3, 5), (6, 7), golden)


def kept_yardstick(recipe: ModuleType) -> Yardstick:
    """Seed 11, whose values tests/published.py computed, with fewer and smaller point groups."""
    values = kept_values(11)
    return Yardstick(recipe, 11, (20, 22), (21, 23), (23,), values, groups=256, neighbours=64)


def kept_values(seed: int) -> Arrays:
    """By name; empty if nothing was written down yet."""
    path = KEPT / f"seed_{seed}.npz"
    if not path.exists():
        return {}
    with np.load(path, allow_pickle=False) as file:
        return {key: file[key] for key in file}


def compare_stages(found: Arrays, expected: Arrays) -> None:
    """Stages of one part, under the golden file's keys and within its tolerances."""
    np.testing.assert_array_equal(found["fps_index"], expected["fps_index"])
    ours, theirs = (np.sort(one["knn_index_first8_groups"]) for one in (found, expected))
    np.testing.assert_array_equal(ours, theirs)
    for name in ("group_features", "interpolated", "rgb_patch", "xyz_patch", "fused_patch"):
        np.testing.assert_allclose(found[name], expected[name], atol=1e-3, rtol=0, err_msg=name)


def compare_scores(found: Arrays, expected: Arrays, part: str) -> None:
    """Scores and maps of the test part t0 or t1, likewise."""
    for bank in BANKS.values():
        key = f"{part}_{bank}"
        assert found[f"{key}_score"].item() == pytest.approx(expected[f"{key}_score"].item(), rel=2e-3)
        step = float(expected[f"{key}_nn_dist"].max()) / 255  # the published code scales by it, then blurs
        np.testing.assert_allclose(found[f"{key}_map_8"], expected[f"{key}_map_8"], atol=step, err_msg=key)
        if bank != "xyz":  # the point bank's own float32 noise is larger
            ours, theirs = found[f"{key}_nn_dist"], expected[f"{key}_nn_dist"]
            np.testing.assert_allclose(ours, theirs, rtol=2e-3, err_msg=key)
    assert found[f"{part}_detect"].item() == pytest.approx(expected[f"{part}_detect"].item(), rel=0.02)
    np.testing.assert_allclose(found[f"{part}_segment_8"], expected[f"{part}_segment_8"], rtol=0.02)
