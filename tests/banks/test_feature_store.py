"""Features go to disk and come back as they were."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from banks.feature_store import FeatureStore
from models.features import PatchGrid


def _features(seed: int) -> dict[str, PatchGrid]:
    random = torch.Generator().manual_seed(seed)
    return {
        "rgb": PatchGrid(torch.randn(4, 3, generator=random), 2),
        "point": PatchGrid(torch.randn(16, 2, generator=random), 4),
    }


@pytest.fixture
def store(tmp_path: Path) -> FeatureStore:
    store = FeatureStore(tmp_path)
    for seed in range(3):
        store.append(_features(seed))
    return store


def test_grids_come_back(store: FeatureStore) -> None:
    for seed in range(3):
        for bank, grid in _features(seed).items():
            assert torch.equal(store.grid(bank, seed).rows, grid.rows)
            assert store.grid(bank, seed).side == grid.side


def test_rows_of_all_and_of_some_parts(store: FeatureStore) -> None:
    everything = np.concatenate([_features(seed)["point"].rows.numpy() for seed in range(3)])
    rows = store.rows("point", range(3), lambda rows: 2 * rows)
    assert rows.shape == everything.shape
    np.testing.assert_array_equal(rows[:], 2 * everything)
    np.testing.assert_array_equal(rows[5:30:3], 2 * everything[5:30:3])
    chosen = np.array([40, 3, 4, 5, 0, 47, 47])
    np.testing.assert_array_equal(rows[chosen], 2 * everything[chosen])
    some = store.rows("point", [0, 2], lambda rows: rows)
    np.testing.assert_array_equal(some[:], np.delete(everything, range(16, 32), axis=0))
    assert len(some[:0]) == 0


def test_a_derived_bank(store: FeatureStore) -> None:
    store.add_bank("fused", (PatchGrid(rgb.rows * 2, rgb.side) for rgb, _ in store.pairs()))
    assert torch.equal(store.features(1)["fused"].rows, 2 * _features(1)["rgb"].rows)
    with pytest.raises(ValueError, match="grids for 3 stored parts"):
        store.add_bank("short", iter([]))


def test_another_shape_is_refused(store: FeatureStore) -> None:
    with pytest.raises(ValueError, match="bank rgb"):
        store.append({"rgb": PatchGrid(torch.zeros(4, 5), 2)})
