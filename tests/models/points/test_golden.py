"""The point branch against what the authors' code computes (tests/data/golden/README.md)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from models.features import Patches
from models.fusion.uff import Uff
from models.layout import GridLayout
from models.points.extractor import PointExtractor, PointTrace
from models.preparation.prepare import PreparedPart
from models.weights.store import WeightStore
from recipes.points import PointNetwork
from tests.conftest import MadeOnce
from tests.golden_inputs import link_weights

Golden = Mapping[str, NDArray[np.generic]]
PUBLISHED = PointNetwork(skip_near_origin=True, distances="expanded")
TOLERANCE = 1e-3


def error(ours: torch.Tensor, theirs: NDArray[np.generic]) -> float:
    return float(np.abs(ours.numpy() - theirs).max())


@pytest.fixture(scope="module")
def store(recipe: ModuleType, made_once: MadeOnce, tmp_path_factory: pytest.TempPathFactory) -> WeightStore:
    """The recipe's weights, as other tests have them on disk."""
    folder = tmp_path_factory.mktemp("weights")
    link_weights(recipe, made_once, folder, ("pointmae", "pointbert", "uff"), 7)
    return WeightStore(folder)


@pytest.fixture(scope="module")
def weights(store: WeightStore) -> dict[str, torch.Tensor]:
    return store.load("pointmae")


@pytest.fixture(scope="module")
def part(golden_part: Callable[[int], PreparedPart]) -> PreparedPart:
    return golden_part(7)


@pytest.fixture(scope="module")
def trace(weights: dict[str, torch.Tensor], part: PreparedPart) -> PointTrace:
    return PointExtractor.load(PUBLISHED, weights).trace(part)


def test_farthest_points(golden: Golden, trace: PointTrace) -> None:
    assert len(trace.valid_index) == golden["n_points"]
    np.testing.assert_array_equal(trace.fps_index, golden["fps_index"])


def test_neighbours(golden: Golden, trace: PointTrace) -> None:
    for ours, theirs in zip(
        trace.knn_index.tolist(), golden["knn_index_first8_groups"].tolist(), strict=False
    ):
        assert set(ours) == set(theirs)


def test_group_features(golden: Golden, trace: PointTrace) -> None:
    assert error(trace.group_features[::16], golden["group_features"]) < 1e-4


def test_interpolated(golden: Golden, trace: PointTrace) -> None:
    assert trace.interpolated is not None
    rows = torch.from_numpy(golden["interp_rows"])
    assert error(trace.interpolated[rows], golden["interpolated"]) < 1e-4


def test_point_patches(golden: Golden, trace: PointTrace) -> None:
    rows = torch.from_numpy(golden["rows"])
    assert error(trace.patches.rows[rows], golden["xyz_patch"]) < 1e-4


def test_point_patches_with_exact_distances(
    weights: dict[str, torch.Tensor], golden: Golden, part: PreparedPart, trace: PointTrace
) -> None:
    """Our default drops the published rounding and stays within the tolerance."""
    (grid,) = PointExtractor.load(PointNetwork(), weights)([part])
    assert error(grid.rows[torch.from_numpy(golden["rows"])], golden["xyz_patch"]) < TOLERANCE
    assert torch.equal(grid.rows.any(1), trace.patches.rows.any(1))


def test_group_features_with_running_statistics(
    weights: dict[str, torch.Tensor], golden: Golden, part: PreparedPart
) -> None:
    extractor = PointExtractor.load(PointNetwork(batch_norm="running"), weights)
    features = extractor.trace(part).group_features
    assert error(features[::16], golden["group_features_running_bn"]) < 1e-4


def test_pointbert_with_784_groups_of_64(store: WeightStore, golden: Golden, part: PreparedPart) -> None:
    settings = PointNetwork(kind="pointbert", groups=784, group_size=64)
    trace = PointExtractor.load(settings, store.load("pointbert")).trace(part)
    np.testing.assert_array_equal(trace.fps_index, golden["pointbert_784x64_fps_index"])
    assert error(trace.group_features[::16], golden["pointbert_784x64_group_features"]) < 1e-4


def test_point_half_of_the_fused_patches(store: WeightStore, golden: Golden, trace: PointTrace) -> None:
    fusion = Uff.from_state(store.load("uff"))
    fused = fusion(Patches(torch.zeros(784, 768), GridLayout(28)), trace.patches)
    ours = fused.rows[torch.from_numpy(golden["rows"]), :1152]
    assert error(ours, golden["fused_patch"][:, :1152]) < 1e-4
