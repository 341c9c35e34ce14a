"""Detectors that score on a cluster: to the engine of a front they are detectors like any other."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from banks.decision.calibration import Calibration
from banks.decision.coverage import Coverage
from banks.detector import PartResult, coverage_of
from banks.versions.manifest import Manifest
from banks.versions.store import BadBank, BankStore, reason
from banks.versions.thresholds import calibration_of
from models.sample import BadSample, Sample
from service.cluster.fleet import Fleet
from service.cluster.wire import calibration_json, pack_sample
from service.engine.detectors import PartDetector
from service.engine.store_loader import StoreLoader
from service.refusals import Refusal


@dataclass(slots=True)
class RemoteDetector:
    """A version that the scorers of a cluster have in memory. A front knows its manifest and calibration."""

    product: str
    version: str
    manifest: Manifest
    calibration: Calibration
    fleet: Fleet = field(repr=False)

    @property
    def coverage(self) -> Coverage | None:
        """See `banks.detector.Detector.coverage`."""
        return coverage_of(self.manifest, self.calibration)

    def score(self, samples: Sequence[Sample]) -> list[PartResult | BadSample]:
        """Score parts, one after the other. Raises Refusal: also for a part that cannot be scored."""
        known = calibration_json(self.calibration)
        return [self.fleet.score(self.product, self.version, known, pack_sample(one)) for one in samples]

    def warm_up(self) -> None:
        """Nothing: the scorers warm up what they load."""


class ClusterLoader(StoreLoader):
    """Loads versions into the memory of scorers, as `fleet` places them. The bank folder is shared by all."""

    def __init__(self, store: BankStore, fleet: Fleet, *, device: str, weights: Path) -> None:
        super().__init__(store, device=device, weights=weights)
        self._fleet = fleet
        self._products: list[str] = []

    def products(self) -> list[str]:
        """See `StoreLoader.products`. The fleet forgets what is gone. For one thread at a time."""
        before, self._products = self._products, super().products()
        for product in set(before).difference(self._products):
            self._fleet.forget(product)
        return self._products

    def detector(self, product: str, version: str, *, called: str | None = None) -> PartDetector:
        """One version, loaded by its scorers. Raises BadBank, BankNotFound, and as `Fleet.load`."""
        folder = self._store.path(product, version)
        try:
            manifest = Manifest.read(folder)
        except (OSError, ValueError) as error:
            raise BadBank(f"the manifest cannot be read: {reason(error)}") from None
        calibration = calibration_of(folder, manifest.calibration)
        self._fleet.load(product, version, self.size(product, version).banks)
        return RemoteDetector(product, version, manifest, calibration, self._fleet)

    def stamp(self, product: str, version: str | None) -> Hashable:
        """As on one machine, and which scorers answer: a load that failed is tried again once one comes."""
        return super().stamp(product, version), self._fleet.up()

    def superseded(self, product: str, version: str) -> bool:
        """Whether the disk names another version by now: another front may have activated one."""
        try:
            return self.active(product) != version
        except Refusal:  # a damaged file: the version in use stays in use
            return False
