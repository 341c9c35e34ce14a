"""Loading detectors from the bank store."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from banks.decision.calibration import Calibration
from banks.detector import Detector
from banks.methods.memory_bank.column import BANK_SUFFIX
from banks.versions.manifest import Manifest
from banks.versions.store import BadBank, BankNotFound, BankStore
from banks.versions.thresholds import THRESHOLDS, calibration_of
from models.weights.store import BadWeights, MissingWeights, WeightStore
from service.engine.detectors import Loaded, PartDetector, Size
from service.refusals import NotReady, Refusal

_T = TypeVar("_T")


class StoreLoader:
    """Loads detectors from disk; where the active version is damaged, the newest whole one stands in."""

    def __init__(self, store: BankStore, *, device: str, weights: Path) -> None:
        self._store = store
        self._device = device
        self._weights = weights

    def products(self) -> list[str]:
        """Products with an active version."""
        return self._store.products()

    def active(self, product: str) -> str | None:
        """The active version's name. Raises Refusal."""
        return _refusing(lambda: self._store.current(product))

    def shadow(self, product: str) -> str | None:
        """The name of the version that scores along. Raises Refusal."""
        return _refusing(lambda: self._store.shadow(product))

    def size(self, product: str, version: str) -> Size:
        """What a version's banks and networks take; nothing where it cannot be read.

        Rows are float32 on the host whatever a bank's file holds, and on a GPU as large as in the file; the
        rest is as large as its file.
        """
        folder = self._store.root / product / version
        try:
            manifest = Manifest.read(folder)
            rows = sum(4 * bank.rows * bank.dimension for bank in manifest.banks.values())
            others = (folder / name for name in manifest.files if not name.endswith(BANK_SUFFIX))
            return Size(
                rows + sum(file.stat().st_size for file in others),
                {_identity(file): file.stat().st_size for file in self._weights_of(manifest)},
                rows // (2 if manifest.profile.precision == "float16" else 1),
                self._device != "cpu",
            )
        except (OSError, ValueError):
            return Size()

    def stamp(self, product: str, version: str | None) -> Hashable:
        """Changes whenever a file that scoring with the version, or any, needs does; weights are among them.

        By inode and change time too: a backup brings old modification times back.
        """
        if version is None:
            with suppress(BadBank):
                return frozenset((name, self.stamp(product, name)) for name in self._store.versions(product))
            return None
        folder = self._store.root / product / version
        files = [folder.parent / THRESHOLDS]
        with suppress(OSError, ValueError):
            files += folder.glob("*")
            files += self._weights_of(Manifest.read(folder))
        return frozenset((file, _identity(file)) for file in files)

    def calibration(self, detector: PartDetector) -> Calibration:
        """The detector's calibration with the threshold that a person may have set. Raises Refusal."""
        folder = self._store.root / detector.product / detector.version
        return _refusing(lambda: calibration_of(folder, detector.manifest.calibration))

    def _weights_of(self, manifest: Manifest) -> list[Path]:
        """Files of the networks that are here."""
        store = WeightStore(self._weights)
        return [path for name in manifest.profile.extraction.weights() if (path := store.find(name))]

    def load(self, product: str, version: str | None = None) -> Loaded:
        """Raises Refusal when the version, or without one any of the product's, cannot be served."""
        active = self.active(product)
        others = [v for v in reversed(_refusing(lambda: self._store.versions(product))) if v != active]
        candidates = [version] if version else [active, *others] if active else []
        reasons: dict[str, str] = {}
        for candidate in candidates:
            try:
                folder = self._store.path(product, candidate)
                detector = Detector.load(
                    folder,
                    device=self._device,
                    weights_dir=self._weights,
                    check_probe=self._device == "cpu",  # a GPU is left to the thread that scores: warm-up
                )
            except (BadBank, BankNotFound, MissingWeights, BadWeights) as error:
                reasons[candidate] = str(error).rstrip(".")
                continue
            passed_over = f"Version {active} is not served: {reasons[active]}." if active in reasons else ""
            return Loaded(detector, f"{passed_over} Serving {candidate}." if passed_over else "")
        if version:
            detail = f"Version {version} cannot be served: {reasons[version]}. Run 'tribank banks verify'."
            raise Refusal(409, "bank_damaged", detail)
        why = "; ".join(reasons.values()) or "there is none"
        raise NotReady("bank_failed", f"No version can be served: {why}. Run 'tribank banks verify'.")


def _refusing(look: Callable[[], _T]) -> _T:
    """What the store says. Raises Refusal with the reason where it is damaged."""
    try:
        return look()
    except BadBank as error:
        raise NotReady("bank_failed", str(error)) from None


def _identity(file: Path) -> tuple[int, ...]:
    try:
        found = file.stat()
    except OSError:
        return ()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
