from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from banks.versions.store import BankStore
from models.weights.folder import DEFAULT_WEIGHTS
from service.cluster.versions import Unloadable, VersionLoader, key_of
from service.engine.store_loader import StoreLoader
from tests.service.cluster.kept import PRODUCT, kept_banks


def test_each_version_is_a_product_of_its_own(tmp_path: Path) -> None:
    store = BankStore(kept_banks(tmp_path, versions=2))
    loader = VersionLoader(store, device="cpu", weights=DEFAULT_WEIGHTS)
    plain = StoreLoader(store, device="cpu", weights=DEFAULT_WEIGHTS)
    assert loader.products() == []
    keys = [loader.ask(PRODUCT, version) for version in ("v1", "v2", "v9")]
    assert keys == loader.products() == [key_of(PRODUCT, version) for version in ("v1", "v2", "v9")]
    assert [loader.active(key) for key in keys] == ["v1", "v2", None]
    assert [loader.shadow(key) for key in keys] == [None] * 3
    assert loader.size(keys[1], "v2") == plain.size(PRODUCT, "v2")
    assert loader.stamp(keys[1], None) == plain.stamp(PRODUCT, "v2")
    detector = loader.load(keys[1]).detector
    assert (detector.product, detector.version) == ("biscuit/v2", "v2")
    assert loader.calibration(detector) == detector.calibration
    assert not loader.superseded(keys[0], "v1")
    with pytest.raises(Unloadable) as refused:
        loader.load(keys[2])
    assert refused.value.code == "bank_failed"
    shutil.rmtree(tmp_path / PRODUCT / "v2")
    assert loader.active(keys[1]) is None
