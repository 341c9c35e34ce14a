"""A column by an autoencoder: its map, what is kept of it, and that a part scores the same in any company."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from banks.feature_store import FeatureStore
from banks.methods.autoencoder.column import AutoencoderColumn
from banks.methods.column_files import ColumnFiles
from banks.methods.method import FitTask, PlanTask
from models.features import Patches
from models.layout import GridLayout
from models.weights.store import WeightStore
from recipes.profiles import find_profile

SMALL = ("preparation.size=32", "preparation.rgb_size=32", "preparation.min_points=16")
PROFILE = find_profile(
    "autoencoder-rgbd", changes=[*SMALL, "banks.picture.epochs=3", "banks.picture.batch=2"]
)
LONG = find_profile("autoencoder-rgbd", changes=[*SMALL, "banks.picture.epochs=3000"])


def patches(seed: int) -> Patches:
    """A picture of 32 x 32 pixels and 4 channels."""
    rows = torch.rand(32 * 32, 4, generator=torch.Generator().manual_seed(seed))
    return Patches(rows, GridLayout(32))


@pytest.fixture(scope="module")
def column(tmp_path_factory: pytest.TempPathFactory) -> AutoencoderColumn:
    """Of the parts 0, 2 and 3 of four."""
    folder = tmp_path_factory.mktemp("library")
    library = FeatureStore(folder)
    for seed in range(4):
        library.append({"picture": patches(seed)})
    notes: list[str] = []
    task = FitTask(
        "picture",
        PROFILE,
        library,
        [0, 2, 3],
        [],
        0,
        "cpu",
        WeightStore(),
        folder / "run",
        lambda done, total, note="": notes.append(note),
    )
    fitted = AutoencoderColumn.fit(task)
    assert len(notes) == 3, "three epochs of one step: the third part waits for another epoch"
    assert all(note.startswith("loss ") for note in notes)
    return fitted


def test_the_map_is_the_largest_difference_of_each_pixel(column: AutoencoderColumn) -> None:
    part = patches(7)
    picture = part.rows.T.reshape(1, 4, 32, 32)
    with torch.inference_mode():
        made = column.network(picture)
    finding = column.score(part)
    expected = np.abs(picture.numpy() - made.numpy())[0].max(axis=0)
    np.testing.assert_allclose(finding.values.reshape(32, 32), expected, atol=1e-6)
    assert finding.image_score == pytest.approx(float(expected.max()))
    assert (finding.layout, finding.nearest) == (GridLayout(32), None)
    bright = Patches(part.rows + 5, part.layout)
    assert column.score(bright).image_score > 1


def test_a_part_scores_the_same_alone_and_in_company(column: AutoencoderColumn) -> None:
    alone = column.score(patches(9))
    for seed in range(3):
        column.score(patches(seed))
    np.testing.assert_array_equal(column.score(patches(9)).values, alone.values)


def test_what_was_saved_scores_the_same(column: AutoencoderColumn, tmp_path: Path) -> None:
    files = ColumnFiles(tmp_path, "picture")
    column.save(files)
    again = AutoencoderColumn.load(files, "picture", PROFILE, "cpu", WeightStore())
    expected = column.score(patches(9)).values
    np.testing.assert_allclose(again.score(patches(9)).values, expected, rtol=1e-5)
    assert (again.rows, again.dimension, again.provenance) == (0, 4, None)
    with pytest.raises(TypeError, match="cannot forget"):
        again.without(0)


def test_a_plan_knows_the_bytes_and_tells_the_time_of_training(
    column: AutoencoderColumn, tmp_path: Path
) -> None:
    files = ColumnFiles(tmp_path, "picture")
    column.save(files)
    size = (tmp_path / "autoencoder.safetensors").stat().st_size
    plans = [
        AutoencoderColumn.plan(
            PlanTask("picture", profile, {"picture": 8 * 1024}, patches(0), "cpu", WeightStore())
        )
        for profile in (PROFILE, LONG)
    ]
    assert plans[0].disk_bytes == pytest.approx(size, rel=0.01)
    assert (plans[0].seen, plans[0].rows, plans[0].dimension) == (8 * 1024, 0, 4)
    assert plans[0].search_ms > 0
    assert 0 < plans[0].training_s < plans[1].training_s / 100
