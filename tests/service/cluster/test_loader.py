from __future__ import annotations

import io
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from banks.detector import Detector
from banks.versions.store import BadBank, BankStore
from models.sample import make_sample
from models.weights.folder import DEFAULT_WEIGHTS
from service.cluster import fleet as fleet_module
from service.cluster.fleet import Fleet
from service.cluster.loader import ClusterLoader
from service.engine.detectors import PartDetector, Residency, Served
from service.engine.owner import Engine
from service.engine.store_loader import StoreLoader
from service.refusals import NotReady, Refusal
from service.watch.logs import make_logger
from tests.service.cluster.kept import PRODUCT, ScorersHere, kept_banks, kept_sample
from tests.waiting import until


@pytest.fixture
def loader(tmp_path: Path) -> Iterator[ClusterLoader]:
    banks = kept_banks(tmp_path / "banks", versions=2)
    fleet = Fleet(ScorersHere(banks, "a"), copies={}, patience_s=5.0, logger=make_logger(io.StringIO()))
    fleet.start()
    yield ClusterLoader(BankStore(banks), fleet, device="cpu", weights=DEFAULT_WEIGHTS)
    fleet.close()


def test_a_product_is_served_once_a_scorer_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet_module, "POLL_S", 0.05)
    store = BankStore(kept_banks(tmp_path / "banks"))
    calls, logger = ScorersHere(store.root, "a"), make_logger(io.StringIO())
    calls.dead.add("a")
    fleet = Fleet(calls, copies={}, patience_s=0.3, logger=logger)
    loader = ClusterLoader(store, fleet, device="cpu", weights=DEFAULT_WEIGHTS)
    engine = Engine(loader, queue_size=1, logger=logger, residency=Residency(poll_s=0.05))
    fleet.start()
    engine.start()
    try:
        until(lambda: engine.products().get(PRODUCT, Served("", "idle")).state == "failed", "a failed load")
        assert engine.not_ready()
        calls.dead.clear()
        until(lambda: engine.products()[PRODUCT].state == "serving", "a served product", seconds=20)
        future = engine.submit(PRODUCT, kept_sample(), deadline=time.monotonic() + 60)
        assert future.result(60).result.decision in ("good", "defective")
    finally:
        engine.close()
        fleet.close()


def test_what_a_scorer_cannot_load_at_present_is_tried_again_and_nothing_stands_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as a scorer that does not see a new version yet, or has no memory at the moment."""
    store = BankStore(kept_banks(tmp_path / "banks", versions=2))
    store.activate(PRODUCT, "v2")
    calls, logger, full = ScorersHere(store.root, "a"), make_logger(io.StringIO()), [MemoryError()]

    def load(self: StoreLoader, product: str, version: str, *, called: str | None = None) -> PartDetector:
        if full:
            raise full.pop()
        return whole(self, product, version, called=called)

    whole = StoreLoader.detector
    fleet = Fleet(calls, copies={}, patience_s=5.0, logger=logger)
    loader = ClusterLoader(store, fleet, device="cpu", weights=DEFAULT_WEIGHTS)
    engine = Engine(loader, queue_size=1, logger=logger, residency=Residency(poll_s=0.05))
    for residents in (engine.residents, calls.scorers["a"]._engine.residents):
        residents._failed_loads._retry_s = 0.3
    monkeypatch.setattr(StoreLoader, "detector", load)
    fleet.start()
    engine.start()
    try:
        until(lambda: engine.products().get(PRODUCT, Served("", "idle")).state == "failed", "a failed load")
        until(lambda: engine.products()[PRODUCT].state == "serving", "a served product", seconds=20)
        served = engine.products()[PRODUCT]
        assert served.detector is not None
        assert (served.detector.version, served.note) == ("v2", "")
    finally:
        engine.close()
        fleet.close()


def test_a_remote_detector_scores_as_a_local_one(loader: ClusterLoader, tmp_path: Path) -> None:
    remote = loader.load(PRODUCT).detector
    local = Detector.load(tmp_path / "banks" / PRODUCT / "v1")
    ((here,), (there,)) = local.score([kept_sample()]), remote.score([kept_sample()])
    assert not isinstance(here, Exception)
    assert not isinstance(there, Exception)
    assert (there.score, there.regions, there.evidence) == (here.score, here.regions, here.evidence)
    assert there.timings_ms.keys() == {"cluster", *here.timings_ms}
    assert (remote.product, remote.version, remote.coverage) == (PRODUCT, "v1", local.coverage)
    assert remote.manifest == local.manifest
    with pytest.raises(Refusal) as refused:
        remote.score([make_sample(np.zeros((64, 64, 3), np.uint8), np.zeros((64, 64, 3), np.float32))])
    assert (refused.value.status, refused.value.code) == (422, "no_foreground")


def test_a_damaged_version_is_replaced_as_on_one_machine(loader: ClusterLoader, tmp_path: Path) -> None:
    folder = tmp_path / "banks" / PRODUCT
    damaged = folder / "v1" / "point.faiss"
    damaged.write_bytes(damaged.read_bytes()[:-9])
    with pytest.raises(BadBank, match=r"point\.faiss"):
        loader.detector(PRODUCT, "v1")
    loaded = loader.load(PRODUCT)
    assert loaded.detector.version == "v2"
    assert loaded.note
    (folder / "v2" / "manifest.json").write_text("{")
    with pytest.raises(NotReady) as refused:
        loader.load(PRODUCT)
    assert refused.value.code == "bank_failed"


def test_a_deleted_product_takes_no_room_of_the_others(loader: ClusterLoader, tmp_path: Path) -> None:
    assert loader.products() == [PRODUCT]
    loader.load(PRODUCT)
    assert loader._fleet.places() == {PRODUCT: ("a",)}
    BankStore(tmp_path / "banks").delete_product(PRODUCT)
    assert loader.products() == []
    until(lambda: loader._fleet.places() == {}, "places without the product", seconds=20)


def test_a_version_is_superseded_once_the_disk_names_another(loader: ClusterLoader, tmp_path: Path) -> None:
    assert not loader.superseded(PRODUCT, "v1")
    BankStore(tmp_path / "banks").activate(PRODUCT, "v2")
    assert loader.superseded(PRODUCT, "v1")
    assert not loader.superseded(PRODUCT, "v2")
    (tmp_path / "banks" / PRODUCT / "current").write_text("v1\nx\n")
    assert not loader.superseded(PRODUCT, "v2"), "a damaged pointer changes nothing"
