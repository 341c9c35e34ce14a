"""Features go to disk and come back as they were."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from banks import feature_store
from banks.feature_store import FeatureStore
from models.features import Patches
from models.layout import GridLayout, GroupLayout


def _features(seed: int) -> dict[str, Patches]:
    random = torch.Generator().manual_seed(seed)
    return {
        "rgb": Patches(torch.randn(4, 3, generator=random), GridLayout(2)),
        "point": Patches(torch.randn(16, 2, generator=random), GridLayout(4)),
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
            assert torch.equal(store.patches(bank, seed).rows, grid.rows)
            assert store.patches(bank, seed).layout == grid.layout


def test_the_last_channels_are_scaled_in_place(store: FeatureStore) -> None:
    store.scale("rgb", 1, 5.0)
    for seed in range(3):
        first, last = _features(seed)["rgb"].rows.split([2, 1], dim=1)
        assert torch.equal(store.patches("rgb", seed).rows, torch.cat([first, 5.0 * last], dim=1))
    store.append(_features(3))
    assert torch.equal(store.patches("rgb", 3).rows, _features(3)["rgb"].rows)


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


@pytest.mark.parametrize("piece", [1, 7, 64])
def test_a_long_run_is_read_in_pieces(
    store: FeatureStore, piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = np.concatenate([_features(seed)["point"].rows.numpy() for seed in range(3)])
    monkeypatch.setattr(feature_store, "_PIECE", piece)
    np.testing.assert_array_equal(store.rows("point", range(3), lambda rows: rows)[:], everything)


def test_a_short_file_is_told(store: FeatureStore) -> None:
    os.truncate(store.folder / "point.f32", 100)
    with pytest.raises(OSError, match="too short"):
        store.rows("point", range(3), lambda rows: rows)[:]


def test_a_derived_bank(store: FeatureStore, tmp_path: Path) -> None:
    store.add_bank("fused", (Patches(rgb.rows * 2, rgb.layout) for rgb, _ in store.pairs()), tmp_path)
    assert torch.equal(store.features(1)["fused"].rows, 2 * _features(1)["rgb"].rows)
    with pytest.raises(ValueError, match="0 parts for 3 stored parts"):
        store.add_bank("short", iter([]), tmp_path)


def test_another_shape_is_refused(store: FeatureStore) -> None:
    with pytest.raises(ValueError, match="bank rgb: rows 4 x 5 for 2 x 2 patches of width 3"):
        store.append({"rgb": Patches(torch.zeros(4, 5), GridLayout(2))})
    with pytest.raises(ValueError, match="rows 5 x 3 for 2 x 2 patches"):
        store.append({"rgb": Patches(torch.zeros(5, 3), GridLayout(2))})


def test_parts_of_different_counts_keep_their_places(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path)
    sizes, random = (3, 1, 5, 2), np.random.default_rng(0)
    pixels = [random.choice(64, size, replace=False) for size in sizes]
    parts = [random.standard_normal((size, 4), np.float32) for size in sizes]
    for rows, pixel in zip(parts, pixels, strict=True):
        store.append({"point": Patches(torch.from_numpy(rows), GroupLayout(pixel, 8))})
    for number, rows in enumerate(parts):
        assert torch.equal(store.patches("point", number).rows, torch.from_numpy(rows))
    order = [3, 0, 2]
    found = store.rows("point", order, lambda rows: rows)
    np.testing.assert_array_equal(found[:], np.concatenate([parts[part] for part in order]))
    chosen = np.array([9, 0, 1, 2, 5, 1])
    np.testing.assert_array_equal(found[chosen], found[:][chosen])
    part, cell, pixel = found.origin(chosen, 8)
    assert part.tolist() == [2, 3, 3, 0, 2, 3]
    assert cell.tolist() == [4, 0, 1, 0, 0, 1]
    assert pixel.tolist() == [pixels[p][c] for p, c in zip(part, cell, strict=True)]
    assert store.count("point", order) == 10


def test_a_store_is_opened_again_and_appended_to(store: FeatureStore) -> None:
    again = FeatureStore.opened(store.folder, store.layout_arrays())
    again.append(_features(3))
    assert again.parts == 4
    for seed in range(4):
        for bank, patches in _features(seed).items():
            assert torch.equal(again.patches(bank, seed).rows, patches.rows)
            assert again.patches(bank, seed).layout == patches.layout


def test_group_layouts_come_back(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path)
    layouts = [GroupLayout(np.array(pixels, np.int64), 8) for pixels in ([1, 5], [7], [2, 3, 60])]
    for number, layout in enumerate(layouts):
        store.append({"point": Patches(torch.full((len(layout), 2), float(number)), layout)})
    again = FeatureStore.opened(tmp_path, store.layout_arrays())
    for number, layout in enumerate(layouts):
        found = again.patches("point", number)
        assert found.rows.shape == (len(layout), 2)
        assert (found.rows == number).all()
        assert isinstance(found.layout, GroupLayout)
        assert found.layout.source == 8
        np.testing.assert_array_equal(found.layout.pixel, layout.pixel)
