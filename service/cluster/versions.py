"""The versions that a scorer has in memory: each is a product of its own to the engine.

A front says which version scores a part. A scorer therefore follows no pointer: the engine's product
`cookie/v3` is version v3 of the product cookie, for ever.
"""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path

from banks.decision.calibration import Calibration
from banks.versions.store import BadBank, BankNotFound, BankStore
from models.weights.store import BadWeights, MissingWeights
from service.engine.detectors import Loaded, PartDetector, Size
from service.engine.local_copies import LocalCopies
from service.engine.store_loader import StoreLoader
from service.refusals import NotReady


class Unloadable(NotReady):
    """A version cannot be loaded, and whoever asks for it again gets the same answer."""

    def __init__(self, reason: str) -> None:
        super().__init__("bank_failed", reason)


def key_of(product: str, version: str) -> str:
    """The engine's name of a version."""
    return f"{product}/{version}"


class VersionLoader:
    """Loads versions by their names. A loader as in `service.engine.detectors`."""

    def __init__(
        self, store: BankStore, *, device: str, weights: Path, copies: LocalCopies | None = None
    ) -> None:
        """copies: as in `StoreLoader`."""
        self._store = store
        self._loader = StoreLoader(store, device=device, weights=weights, copies=copies)
        self._asked: dict[str, tuple[str, str]] = {}
        self._damaged: set[str] = set()

    def ask(self, product: str, version: str) -> str:
        """Know a version from now on. Returns its name for the engine."""
        key = key_of(product, version)
        self._asked[key] = product, version
        return key

    def damaged(self, product: str, version: str) -> bool:
        """Whether the last load of a version failed because of its files, or of its networks' files."""
        return key_of(product, version) in self._damaged

    def products(self) -> list[str]:
        """The versions that fronts asked for so far."""
        return list(self._asked)

    def active(self, product: str) -> str | None:
        """The version itself; None where the disk has it no longer."""
        name, version = self._asked[product]
        try:
            self._store.path(name, version)
        except BankNotFound:
            return None
        return version

    def shadow(self, product: str) -> str | None:
        """None: to a scorer, a shadow is a version like any other."""
        return None

    def size(self, product: str, version: str) -> Size:
        """See `StoreLoader.size`."""
        return self._loader.size(self._asked[product][0], version)

    def stamp(self, product: str, version: str | None) -> Hashable:
        """See `StoreLoader.stamp`."""
        name, own = self._asked[product]
        return self._loader.stamp(name, version or own)

    def load(self, product: str, version: str | None = None) -> Loaded:
        """The version's detector. Raises Unloadable."""
        name, own = self._asked[product]
        self._damaged.discard(product)
        try:
            detector = self._loader.detector(name, own, called=product)
        except (BadBank, BankNotFound, MissingWeights, BadWeights) as error:
            self._damaged.add(product)
            raise Unloadable(str(error)) from None
        return Loaded(detector)

    def calibration(self, detector: PartDetector) -> Calibration:
        """See `StoreLoader.calibration`."""
        name, version = self._asked[detector.product]
        return self._loader.calibrated(name, version, detector.manifest.calibration)

    def superseded(self, product: str, version: str) -> bool:
        """False: a version stays the version that it is."""
        return False
