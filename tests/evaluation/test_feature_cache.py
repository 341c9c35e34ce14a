"""The cache of features: whole entries or none, bounded, and the same numbers with it and without."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import torch

from banks.pipeline import make_pipeline
from evaluation.cached_extractor import cached_pipelines
from evaluation.feature_cache import CachedPatches, FeatureCache
from models.features import Patches
from models.layout import GridLayout, GroupLayout
from models.readers.product_folder import open_product_folder
from models.weights.folder import DEFAULT_WEIGHTS
from recipes.profiles import find_profile


def _entry(value: float) -> CachedPatches:
    return CachedPatches(Patches(torch.full((4, 256), value), GridLayout(2)), milliseconds=1.5)


def test_what_was_put_is_found_by_another_process(tmp_path: Path) -> None:
    FeatureCache(tmp_path, 1 << 20).put("ab1", _entry(3.0))
    found = FeatureCache(tmp_path, 1 << 20).get("ab1")
    assert found is not None
    assert torch.equal(found.patches.rows, torch.full((4, 256), 3.0))
    assert (found.patches.layout, found.milliseconds) == (GridLayout(2), 1.5)
    assert FeatureCache(tmp_path, 1 << 20).get("ab2") is None


def test_point_groups_keep_their_places(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path, 1 << 20)
    pixel = np.array([3, 50_000, 7], np.int64)
    cache.put("ab1", CachedPatches(Patches(torch.ones(3, 8), GroupLayout(pixel, 224)), 1.0))
    found = cache.get("ab1")
    assert found is not None
    layout = found.patches.layout
    assert isinstance(layout, GroupLayout)
    np.testing.assert_array_equal(layout.pixel, pixel)
    assert layout.source == 224


def test_a_damaged_entry_is_no_entry(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path, 1 << 20)
    cache.put("ab1", _entry(3.0))
    (file,) = tmp_path.glob("*/*")
    for damage in (b"", file.read_bytes()[:100], b"\0" * 5000):
        file.write_bytes(damage)
        assert cache.get("ab1") is None
    cache.put("ab1", _entry(4.0))
    assert cache.get("ab1") is not None


def test_the_oldest_entries_go_when_it_is_full(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path, 5 * 4400)
    for number in range(5):
        cache.put(f"k{number}", _entry(float(number)))
        path = next(tmp_path.glob(f"*/k{number}.*"))
        os.utime(path, ns=(number, number))
    assert cache.get("k0") is not None  # used now: no longer the oldest
    cache.put("k5", _entry(5.0))
    assert cache.get("k1") is None
    assert cache.get("k0") is not None
    assert cache.get("k5") is not None
    assert sum(path.stat().st_size for path in tmp_path.glob("*/*")) <= cache.limit


def test_features_are_the_same_and_are_extracted_once(small_product: Path, tmp_path: Path) -> None:
    sample = open_product_folder(small_product).train[0].read()
    cache = FeatureCache(tmp_path, 1 << 30)
    make = cached_pipelines(cache)
    profile = find_profile("embedded").resolved(None)
    _, plain, _ = make_pipeline(profile, DEFAULT_WEIGHTS, "cpu")(sample)
    for _ in range(2):
        _, features, milliseconds = make(profile, DEFAULT_WEIGHTS, "cpu")(sample)
        assert set(milliseconds) == {"prepare", "rgb", "point", "relief", "colour"}
        for bank, patches in plain.items():
            np.testing.assert_array_equal(features[bank].rows.numpy(), patches.rows.numpy())
            assert features[bank].layout == patches.layout
    assert (cache.hits, cache.misses) == (4, 4)
    make(find_profile("embedded-normals").resolved(None), DEFAULT_WEIGHTS, "cpu")(sample)
    assert (cache.hits, cache.misses) == (8, 5), "another profile extracts only what is new"
    make(find_profile("embedded-point-8x8").resolved(None), DEFAULT_WEIGHTS, "cpu")(sample)
    assert (cache.hits, cache.misses) == (9, 5)
    make(find_profile("embedded-point").resolved(None), DEFAULT_WEIGHTS, "cpu")(sample)
    assert (cache.hits, cache.misses) == (9, 6)
