"""Loading detectors from the bank store."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import TypeVar

from banks.decision.calibration import Calibration
from banks.detector import Detector
from banks.methods.memory_bank.bounds import memory_bytes as bounds_bytes
from banks.methods.memory_bank.column import BANK_SUFFIX
from banks.methods.padim.column import PADIM
from banks.versions.manifest import Manifest
from banks.versions.reviews import REVIEWS
from banks.versions.store import BadBank, BankNotFound, BankStore
from banks.versions.thresholds import THRESHOLDS, calibration_of
from models.weights.store import BadWeights, MissingWeights, WeightStore
from service.engine.detectors import Loaded, PartDetector, Size
from service.engine.local_copies import LocalCopies
from service.refusals import NotReady, Refusal

_T = TypeVar("_T")


class StoreLoader:
    """Loads detectors from disk. If the active version is damaged, the newest undamaged version stands in."""

    def __init__(
        self, store: BankStore, *, device: str, weights: Path, copies: LocalCopies | None = None
    ) -> None:
        """copies: of the store's versions on a local disk; None: versions are loaded from the store."""
        self._store = store
        self._copies = copies
        self._device = device
        self._weights = weights

    def products(self) -> list[str]:
        """The products that have an active version."""
        return self._store.products()

    def active(self, product: str) -> str | None:
        """The active version's name. Raises Refusal."""
        return _from_store(lambda: self._store.current(product))

    def shadow(self, product: str) -> str | None:
        """The shadow version's name. Raises Refusal."""
        return _from_store(lambda: self._store.shadow(product))

    def size(self, product: str, version: str) -> Size:
        """What a version's banks and networks take in memory; an empty size where the version cannot be read.

        The rows of a bank are float32 on the host, even if the bank's file holds float16. On a CPU, large
        banks have bounds beside their rows. On a GPU the rows are as large as in the file. Everything else is
        as large as its file; PaDiM's goes to the GPU, too.
        """
        folder = self._store.root / product / version
        try:
            manifest = Manifest.read(folder)
            banks, on_cpu = manifest.banks.values(), self._device == "cpu"
            rows = sum(4 * bank.rows * bank.dimension for bank in banks)
            bounds = sum(bounds_bytes(bank.rows, bank.dimension) for bank in banks) if on_cpu else 0
            others = {
                name: (folder / name).stat().st_size
                for name in manifest.files
                if not name.endswith(BANK_SUFFIX)
            }
            return Size(
                rows + bounds + sum(others.values()),
                {_identity(file): file.stat().st_size for file in self._weights_of(manifest)},
                rows // (2 if manifest.profile.precision == "float16" else 1)
                + others.get(f"{PADIM}.safetensors", 0),
                not on_cpu,
            )
        except (OSError, ValueError):
            return Size()

    def stamp(self, product: str, version: str | None) -> Hashable:
        """A value that changes whenever a file of the version, or of its networks, changes.

        Without a version, the files of every version count. The inode and the change time count too, because
        a restored backup has its old modification times.
        """
        if version is None:
            with suppress(BadBank):
                return frozenset((name, self.stamp(product, name)) for name in self._store.versions(product))
            return None
        folder = self._store.root / product / version
        files = [folder.parent / THRESHOLDS, folder.parent / REVIEWS]
        with suppress(OSError, ValueError):
            files += folder.glob("*")
            files += self._weights_of(Manifest.read(folder))
        return frozenset((file, _identity(file)) for file in files)

    def calibration(self, detector: PartDetector) -> Calibration:
        """The detector's calibration, with the threshold that a person may have set since. Raises Refusal."""
        return self.calibrated(detector.product, detector.version, detector.manifest.calibration)

    def calibrated(self, product: str, version: str, built: Calibration) -> Calibration:
        """A version's calibration with what people said since. built: the manifest's. Raises Refusal."""
        folder = self._store.root / product / version
        return _from_store(lambda: calibration_of(folder, built))

    def superseded(self, product: str, version: str) -> bool:
        """False: one server follows the disk once a second, and scoring waits for no disk."""
        return False

    def detector(self, product: str, version: str, *, called: str | None = None) -> PartDetector:
        """One version's detector. Raises BadBank, BankNotFound, MissingWeights, BadWeights.

        called: the name of the product to the engine, if it is another one.
        """
        folder = self._store.path(product, version)
        with self._copies.fetch(product, version) if self._copies else nullcontext(folder) as place:
            detector = Detector.load(
                place,
                device=self._device,
                weights_dir=self._weights,
                check_probe=self._device == "cpu",  # on a GPU the warm-up does that, on the scoring thread
            )
        if place != folder:  # what people said lies beside the version in the store
            detector.calibration = calibration_of(folder, detector.manifest.calibration)
        detector.product = called or product
        return detector

    def _weights_of(self, manifest: Manifest) -> list[Path]:
        """The weight files that this computer has, of the networks that the version needs."""
        store = WeightStore(self._weights)
        return [path for name in manifest.profile.extraction.weights() if (path := store.find(name))]

    def load(self, product: str, version: str | None = None) -> Loaded:
        """Load a version's detector.

        version: None means the active version or, if that version is damaged, the newest undamaged version.

        Raises Refusal where no such version can be loaded.
        """
        active = None if version else self.active(product)  # a damaged `current` stops no named one
        candidates = [version] if version else []
        if active:
            versions = reversed(_from_store(lambda: self._store.versions(product)))
            candidates = [active, *(name for name in versions if name != active)]
        reasons: dict[str, str] = {}
        for candidate in candidates:
            try:
                detector = self.detector(product, candidate)
            except (BadBank, BankNotFound, MissingWeights, BadWeights) as error:
                reasons[candidate] = str(error).rstrip(".")
                continue
            skipped = f"Version {active} cannot be loaded: {reasons[active]}." if active in reasons else ""
            return Loaded(detector, f"{skipped} Version {candidate} is served instead." if skipped else "")
        if version:
            detail = f"Version {version} cannot be loaded: {reasons[version]}."
            raise Refusal(409, "bank_damaged", detail)
        each = [f"Version {name} cannot be loaded: {reason}." for name, reason in reasons.items()]
        raise NotReady("bank_failed", " ".join(each) or "The product has no active version.")


def _from_store(look: Callable[[], _T]) -> _T:
    """Ask the store. Raises Refusal with the reason where the store is damaged."""
    try:
        return look()
    except BadBank as error:
        raise NotReady("bank_failed", str(error)) from None


def _identity(file: Path) -> tuple[int, ...]:
    try:
        status = file.stat()
    except OSError:
        return ()
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
