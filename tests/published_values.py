"""Writes down what tests/published.py computes, because it is the same at every run: tests/data/published.

    .venv/bin/python -m tests.published_values

takes about two minutes. Run it after a change of tests/published.py: tests/test_published.py asks for it.
"""

from __future__ import annotations

from functools import cached_property
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.conftest import GOLDEN, load_recipe
from tests.golden_values import KEPT, Yardstick, golden_yardstick, kept_yardstick
from tests.published import Arrays, Published

SMALL = "small"
"""Under this name a file has the scores of `Small`."""


class Small(Published):
    """The method from patches on: small grids of random patches stand in for those of parts."""

    def _patches(self, number: int) -> dict[str, NDArray[np.float32]]:
        draw = np.random.default_rng(number)
        sizes = {"xyz": (196, 1152), "rgb": (49, 768), "fusion": (196, 1920)}
        return {name: draw.normal(0.3, 2, size).astype(np.float32) for name, size in sizes.items()}

    @cached_property
    def values(self) -> Arrays:
        """Scores of one part."""
        return self.scores((0, 1), (2, 3), {SMALL: 4})


def digest(yardstick: Yardstick) -> str:
    """Of the text that computes, and of what is computed."""
    what = (yardstick.seed, yardstick.train, yardstick.held_out, yardstick.test)
    texts = (Path(__file__).with_name("published.py"), Path(__file__), GOLDEN / "recipe.py")
    text = b"".join(path.read_bytes() for path in texts)
    return sha256(text + repr((what, yardstick.groups, yardstick.neighbours)).encode()).hexdigest()


def published(yardstick: Yardstick) -> Published:
    return Published(yardstick.recipe, yardstick.seed, yardstick.groups, yardstick.neighbours)


def stages(method: Published, number: int, golden: Arrays | None = None) -> Arrays:
    """Stages of one part under the golden file's keys, at the golden file's rows or at evenly spaced ones."""
    found = method.stages(number)
    rows = np.arange(0, 3136, 49)
    interp_rows = np.linspace(0, len(found["valid_index"]) - 1, 64).astype(np.int64)
    if golden:
        rows, interp_rows = golden["rows"], golden["interp_rows"]
    return {
        "rows": rows,
        "interp_rows": interp_rows,
        "n_points": np.array(len(found["valid_index"])),
        "fps_index": found["fps_index"],
        "knn_index_first8_groups": found["knn_index"][:8],
        "group_features": found["group_features"][::16],
        "interpolated": found["interpolated"][interp_rows],
        "rgb_patch": found["rgb_patch"][::12],
        "xyz_patch": found["xyz_patch"][rows],
        "fused_patch": found["fused_patch"][rows],
    }


def _write(yardstick: Yardstick, golden: dict[str, NDArray[Any]] | None) -> None:
    method, part = published(yardstick), yardstick.test[-1]
    values = stages(method, part, golden) | method.scores(
        yardstick.train, yardstick.held_out, {yardstick.last: part}
    )
    if golden:
        values |= Small(yardstick.recipe, yardstick.seed).values
    values["digest"] = np.array(digest(yardstick))
    KEPT.mkdir(exist_ok=True)
    np.savez_compressed(KEPT / f"seed_{yardstick.seed}.npz", allow_pickle=False, **values)


def _main() -> None:
    recipe: ModuleType = load_recipe()
    with np.load(GOLDEN / "golden_7.npz", allow_pickle=False) as file:
        golden = {key: file[key] for key in file}
    _write(golden_yardstick(recipe, golden), golden)
    _write(kept_yardstick(recipe), None)


if __name__ == "__main__":
    _main()
