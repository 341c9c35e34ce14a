"""A column by student and teacher: what is kept of it, and that a part scores the same in any company."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from banks.feature_store import FeatureStore
from banks.methods.column_files import ColumnFiles
from banks.methods.method import FitTask, PlanTask
from banks.methods.stfpm.column import StfpmColumn
from models.features import Patches
from models.layout import GridLayout
from models.weights.store import WeightStore
from recipes.profiles import find_profile

PROFILE = find_profile(
    "stfpm",
    changes=[
        "preparation.size=32",
        "preparation.rgb_size=32",
        "preparation.min_points=16",
        "banks.picture.epochs=2",
        "banks.picture.batch=2",
    ],
)
WEIGHTS = WeightStore()


def patches(seed: int) -> Patches:
    rows = torch.rand(32 * 32, 3, generator=torch.Generator().manual_seed(seed))
    return Patches(rows, GridLayout(32))


@pytest.fixture(scope="module")
def column(tmp_path_factory: pytest.TempPathFactory) -> StfpmColumn:
    folder = tmp_path_factory.mktemp("library")
    library = FeatureStore(folder)
    for seed in range(4):
        library.append({"picture": patches(seed)})
    return StfpmColumn.fit(
        FitTask(
            "picture", PROFILE, library, [0, 1, 3], [], 0, "cpu", WEIGHTS, folder / "run", lambda *_: None
        )
    )


def test_a_part_scores_the_same_alone_and_in_company(column: StfpmColumn) -> None:
    alone = column.score(patches(9))
    for seed in range(3):
        column.score(patches(seed))
    again = column.score(patches(9))
    np.testing.assert_array_equal(again.values, alone.values)
    assert (alone.layout, len(alone.values), again.image_score) == (GridLayout(8), 64, alone.image_score)
    whole = alone.layout.image(alone.values, 32)
    assert alone.image_score == pytest.approx(float(whole.max()), rel=1e-5)


def test_what_was_saved_scores_the_same(column: StfpmColumn, tmp_path: Path) -> None:
    files = ColumnFiles(tmp_path, "picture")
    column.save(files)
    again = StfpmColumn.load(files, "picture", PROFILE, "cpu", WEIGHTS)
    np.testing.assert_allclose(again.score(patches(9)).values, column.score(patches(9)).values, rtol=1e-4)
    assert again.teacher is column.teacher, "one network for all products"
    assert (again.rows, again.dimension, again.provenance) == (0, 3, None)
    plan = StfpmColumn.plan(PlanTask("picture", PROFILE, {"picture": 8 * 1024}, patches(0), "cpu", WEIGHTS))
    size = (tmp_path / "student.safetensors").stat().st_size
    assert plan.disk_bytes == pytest.approx(size, rel=0.02)
    assert min(plan.training_s, plan.search_ms) > 0
    with pytest.raises(TypeError, match="cannot forget"):
        again.without(0)
