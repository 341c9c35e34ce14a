"""A column by a flow and its student: stopped and gone on with, what is kept of it, and a part in company."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from banks.feature_store import FeatureStore
from banks.methods.ast.column import AstColumn
from banks.methods.column_files import ColumnFiles
from banks.methods.method import FitTask, PlanTask
from models.ast.student import differences
from models.features import Patches
from models.layout import GridLayout
from models.weights.store import WeightStore
from recipes.profiles import find_profile

CHANGES = ("banks.picture.epochs=3", "banks.picture.batch=2", "banks.picture.width=8")
PROFILE = find_profile("ast-depth", changes=[*CHANGES, "banks.picture.checkpoint_every=1"])
WEIGHTS = WeightStore()


class Stopped(Exception):
    pass


def patches(seed: int) -> Patches:
    """24 x 24 cells of 4 channels, and how much of them is the part."""
    draw = torch.Generator().manual_seed(seed)
    rows = torch.randn(24 * 24, 4, generator=draw)
    return Patches(torch.cat([rows, torch.rand(24 * 24, 1, generator=draw)], dim=1), GridLayout(24))


Fit = Callable[[Path, list[str], int], AstColumn]


@pytest.fixture(scope="module")
def fit(tmp_path_factory: pytest.TempPathFactory) -> Fit:
    """Fits on the parts 0, 1 and 3 of four, and stops after so many steps."""
    library = FeatureStore(tmp_path_factory.mktemp("library"))
    for seed in range(4):
        library.append({"picture": patches(seed)})

    def fitted(folder: Path, told: list[str], last: int) -> AstColumn:
        def tell(done: int, total: int, note: str = "", /) -> None:
            told.append(f"{done} of {total}, {note.partition(':')[0]}")
            if done == last:
                raise Stopped

        task = FitTask("picture", PROFILE, library, [0, 1, 3], [], 0, "cpu", WEIGHTS, folder, tell)
        return AstColumn.fit(task)

    return fitted


@pytest.fixture(scope="module")
def column(fit: Fit, tmp_path_factory: pytest.TempPathFactory) -> AstColumn:
    told: list[str] = []
    fitted = fit(tmp_path_factory.mktemp("run"), told, -1)
    assert told == [
        f"{step} of 6, {name}" for step, name in enumerate(["teacher"] * 3 + ["student"] * 3, start=1)
    ]
    return fitted


@pytest.mark.parametrize("last", [2, 5])
def test_a_fit_that_was_stopped_goes_on(last: int, fit: Fit, column: AstColumn, tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        fit(tmp_path, [], last)
    told: list[str] = []
    resumed = fit(tmp_path, told, -1)
    assert len(told) == 6 - last
    np.testing.assert_array_equal(resumed.score(patches(9)).values, column.score(patches(9)).values)


def test_the_map_is_that_of_the_two_networks(column: AstColumn) -> None:
    part = patches(7)
    picture = part.rows.T.reshape(1, 5, 24, 24)
    with torch.inference_mode():
        numbers, _ = column.flow(picture[:, :4])
        expected = differences(numbers, column.student(picture[:, :4]), picture[:, 4])
    finding = column.score(part)
    np.testing.assert_allclose(finding.values.reshape(24, 24), expected[0].numpy(), rtol=1e-6)
    assert (finding.layout, finding.nearest) == (GridLayout(24), None)
    assert finding.image_score >= 0.9 * finding.values.max()
    nowhere = Patches(torch.cat([part.rows[:, :4], torch.zeros(24 * 24, 1)], dim=1), part.layout)
    assert column.score(nowhere).image_score == 0


def test_a_part_scores_the_same_alone_and_in_company(column: AstColumn) -> None:
    alone = column.score(patches(9))
    for seed in range(3):
        column.score(patches(seed))
    np.testing.assert_array_equal(column.score(patches(9)).values, alone.values)


def test_what_was_saved_scores_the_same_and_was_planned(column: AstColumn, tmp_path: Path) -> None:
    files = ColumnFiles(tmp_path, "picture")
    column.save(files)
    again = AstColumn.load(files, "picture", PROFILE, "cpu", WEIGHTS)
    np.testing.assert_array_equal(again.score(patches(9)).values, column.score(patches(9)).values)
    assert (again.rows, again.dimension, again.provenance) == (0, 5, None)
    plan = AstColumn.plan(PlanTask("picture", PROFILE, {"picture": 8 * 576}, patches(0), "cpu", WEIGHTS))
    assert plan.disk_bytes == pytest.approx((tmp_path / "ast.safetensors").stat().st_size, rel=0.05)
    assert min(plan.training_s, plan.search_ms, plan.fit_bytes) > 0
    with pytest.raises(TypeError, match="cannot forget"):
        again.without(0)
