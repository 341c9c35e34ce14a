"""PaDiM as a column: fitted on some parts, kept, and able to forget."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from banks.decision.score_map import score_map
from banks.feature_store import FeatureStore
from banks.methods.column_files import ColumnFiles
from banks.methods.method import FitTask, PlanTask
from banks.methods.padim.column import PadimColumn, drawn
from models.features import Patches
from models.layout import GridLayout
from models.weights.store import WeightStore
from recipes.profile import Profile
from recipes.profiles import find_profile

PROFILE = find_profile("padim", changes=["banks.rgb.channels=6"])
WEIGHTS = WeightStore()
LAYOUT = GridLayout(8)
WIDTH = 10


def patches(seed: int) -> Patches:
    return Patches(torch.randn(64, WIDTH, generator=torch.Generator().manual_seed(seed)), LAYOUT)


def fitted(folder: Path, parts: list[int], profile: Profile = PROFILE, seed: int = 0) -> PadimColumn:
    """Of some of five parts."""
    library = FeatureStore(folder)
    for number in range(5):
        library.append({"rgb": patches(number)})
    return PadimColumn.fit(
        FitTask("rgb", profile, library, parts, parts, seed, "cpu", WEIGHTS, folder, lambda *_: None)
    )


@pytest.fixture
def column(tmp_path: Path) -> PadimColumn:
    return fitted(tmp_path / "library", [0, 2, 3, 4])


def test_distances_are_those_of_the_asked_parts(column: PadimColumn) -> None:
    channels = column.channels.numpy()
    train = np.stack([patches(seed).rows.numpy()[:, channels] for seed in (0, 2, 3, 4)]).astype(np.float64)
    part = patches(9).rows.numpy()[:, channels]
    found = column.score(patches(9))
    for place in (0, 17, 63):
        covariance = np.cov(train[:, place], rowvar=False) + 0.01 * np.identity(6)
        deviation = part[place] - train[:, place].mean(axis=0)
        expected = np.sqrt(deviation @ np.linalg.inv(covariance) @ deviation)
        assert found.values[place] == pytest.approx(expected, rel=1e-5)
    assert (found.layout, found.nearest, column.rows, column.dimension) == (LAYOUT, None, 0, 6)


def test_the_image_score_is_the_highest_value_of_the_map(column: PadimColumn) -> None:
    found = column.score(patches(9))
    assert found.image_score == score_map(found.values, LAYOUT, PROFILE.preparation.size).max()


def test_channels_follow_the_seed(column: PadimColumn, tmp_path: Path) -> None:
    assert column.channels.tolist() == sorted(set(column.channels.tolist()))
    again, other = (fitted(tmp_path / f"again{seed}", [0, 2, 3, 4], seed=seed) for seed in (0, 1))
    assert torch.equal(again.channels, column.channels)
    assert not torch.equal(other.channels, column.channels)
    assert drawn(4, 100, 0).tolist() == [0, 1, 2, 3]


BY_AXES = find_profile("padim", changes=["banks.rgb.channels=6", "banks.rgb.axes=9"])


@pytest.mark.parametrize("profile", [PROFILE, BY_AXES], ids=["factors", "axes"])
def test_what_was_kept_scores_the_same_and_cannot_forget(profile: Profile, tmp_path: Path) -> None:
    column = fitted(tmp_path / "library", [0, 2, 3, 4], profile)
    files = ColumnFiles(tmp_path, "rgb")
    column.save(files)
    again = PadimColumn.load(files, "rgb", profile, "cpu", WEIGHTS)
    expected, found = column.score(patches(9)), again.score(patches(9))
    np.testing.assert_array_equal(found.values, expected.values)
    assert found.image_score == expected.image_score
    with pytest.raises(ValueError, match="forget"):
        again.without(0)


def test_a_forgotten_part_is_scored_as_one_that_was_never_seen(column: PadimColumn, tmp_path: Path) -> None:
    never = fitted(tmp_path / "others", [0, 3, 4]).score(patches(2))
    np.testing.assert_allclose(column.without(2).score(patches(2)).values, never.values, rtol=1e-3)
    twice = fitted(tmp_path / "two", [0, 4]).score(patches(2))
    np.testing.assert_allclose(column.without(2).without(3).score(patches(2)).values, twice.values, rtol=1e-2)
    assert column.score(patches(2)).values.mean() < 0.1 * never.values.mean()


def test_axes_say_the_same_as_factors(column: PadimColumn, tmp_path: Path) -> None:
    by_axes = fitted(tmp_path / "by axes", [0, 2, 3, 4], BY_AXES)
    for of_both in ((column, by_axes), (column.without(2), by_axes.without(2))):
        factors, axes = (of.score(patches(9)).values for of in of_both)
        np.testing.assert_allclose(axes, factors, rtol=1e-4)


@pytest.mark.parametrize("profile", [PROFILE, BY_AXES], ids=["factors", "axes"])
def test_the_plan_tells_the_bytes_that_are_kept(profile: Profile, tmp_path: Path) -> None:
    planned = PadimColumn.plan(PlanTask("rgb", profile, {"rgb": 256}, patches(0), "cpu", WEIGHTS))
    fitted(tmp_path / "library", [0, 2, 3, 4], profile).save(ColumnFiles(tmp_path, "rgb"))
    size = (tmp_path / "padim.safetensors").stat().st_size
    assert planned.disk_bytes == pytest.approx(size, abs=500)
    assert (planned.seen, planned.rows, planned.dimension) == (256, 0, 6)
    assert planned.search_ms > 0
