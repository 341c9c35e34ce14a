"""A server loads versions from copies on a local disk, and goes on without them."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from banks.versions.manifest import Manifest
from banks.versions.store import BadBank, BankNotFound, BankStore
from banks.versions.thresholds import MovedThreshold, move_threshold
from models.weights.folder import DEFAULT_WEIGHTS
from service.engine.local_copies import LocalCopies
from service.engine.store_loader import StoreLoader
from service.settings import Settings
from service.watch.logs import make_logger
from tests.waiting import until

KEPT = Path(__file__).parents[2] / "data" / "versions" / "schema-3"
PRODUCT = "biscuit"
PLENTY = 1 << 30


@pytest.fixture
def store(tmp_path: Path) -> BankStore:
    shutil.copytree(KEPT, tmp_path / "banks")
    return BankStore(tmp_path / "banks")


def events(log: io.StringIO) -> list[str]:
    return [json.loads(line)["event"] for line in log.getvalue().splitlines()]


def test_a_version_is_loaded_from_its_copy_with_the_threshold_of_the_store(
    store: BankStore, tmp_path: Path
) -> None:
    log = io.StringIO()
    copies = LocalCopies(store, tmp_path / "cache", PLENTY, make_logger(log))
    loader = StoreLoader(store, device="cpu", weights=DEFAULT_WEIGHTS, copies=copies)
    move_threshold(store, PRODUCT, "v1", MovedThreshold(threshold=7.5, rate=None))
    loader.load(PRODUCT)
    for name in Manifest.read(store.path(PRODUCT)).files:
        (store.path(PRODUCT) / name).unlink()
    loaded = loader.load(PRODUCT)
    assert (loaded.detector.version, loaded.detector.calibration.threshold) == ("v1", 7.5)
    assert (loaded.note, events(log)) == ("", [])


def test_a_cache_that_cannot_be_used_is_told_and_nothing_else(store: BankStore, tmp_path: Path) -> None:
    log = io.StringIO()
    (tmp_path / "file").touch()
    for folder, most in ((tmp_path / "file", PLENTY), (tmp_path / "small", 1 << 10)):
        copies = LocalCopies(store, folder, most, make_logger(log))
        with copies.fetch(PRODUCT, "v1") as place:
            assert place == store.path(PRODUCT, "v1")
    assert events(log) == ["cache_not_used"] * 2
    assert not list((tmp_path / "small").rglob("*.faiss"))


def test_a_version_that_is_damaged_or_absent_is_no_fault_of_the_cache(
    store: BankStore, tmp_path: Path
) -> None:
    log = io.StringIO()
    copies = LocalCopies(store, tmp_path / "cache", PLENTY, make_logger(log))
    (store.path(PRODUCT) / "rgb.faiss").write_bytes(b"damaged")
    with pytest.raises(BadBank), copies.fetch(PRODUCT, "v1"):
        pass
    with pytest.raises(BankNotFound), copies.fetch(PRODUCT, "v2"):
        pass
    assert events(log) == []


def test_a_server_with_a_cache_follows_the_bank_folder(
    store: BankStore, tmp_path: Path, serve: Callable[..., Any]
) -> None:
    cache = tmp_path / "cache"
    with serve(Settings(banks=store.root, cache=cache, poll_s=0.05), None, wait=False) as running:
        product = f"/v1/products/{PRODUCT}"
        with running.client() as client:
            until(lambda: client.get(product).json()["state"] == "serving", "the first version")
            threshold = client.get(product).json()["calibration"]["threshold"]
            move_threshold(store, PRODUCT, "v1", MovedThreshold(threshold=threshold + 1, rate=None))
            moved = lambda: client.get(product).json()["calibration"]["threshold"]  # noqa: E731
            until(lambda: moved() == threshold + 1, "the moved threshold")
            shutil.copytree(store.path(PRODUCT, "v1"), store.root / PRODUCT / "v2")
            store.activate(PRODUCT, "v2")
            until(lambda: client.get(product).json()["bank_version"] == "v2", "the second version")
    assert len(list(cache.glob("versions/*"))) == 2
    names = {"manifest.json", *Manifest.read(store.path(PRODUCT)).files}
    assert len(list(cache.glob("blobs/*"))) == len(names)
