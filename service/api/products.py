"""Which products are served: loading them from the store, and telling about them."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from fastapi import APIRouter, Request

from banks.decision.calibration import Calibration
from banks.detector import Detector
from banks.methods.memory_bank.column import BANK_SUFFIX
from banks.versions.manifest import Manifest
from banks.versions.store import BadBank, BankNotFound, BankStore
from banks.versions.thresholds import THRESHOLDS, calibration_of
from models.weights.store import BadWeights, MissingWeights, WeightStore
from service.answers.schemas import (
    CalibrationAnswer,
    Health,
    ProductAnswer,
    ProductList,
    ProductSummary,
    Readiness,
)
from service.api.names import ProductName
from service.api.services import Problems, Services
from service.engine.detectors import Loaded, PartDetector, Served, Size
from service.http.access import may_read
from service.refusals import NotReady, Refusal, UnknownProduct
from service.threads import on_disk

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


router = APIRouter()


@router.get("/v1/products", response_model_exclude_none=True, tags=["products"])
async def list_products(services: Services) -> ProductList:
    """The products of this server."""
    return ProductList(products=_summaries(services.engine.products()))


@router.get(
    "/v1/products/{product}",
    response_model_exclude_none=True,
    responses=Problems.of(404, 422, 503),
    tags=["products"],
)
async def show_product(product: ProductName, services: Services) -> ProductAnswer:
    """One product: its bank version, its versions, its recipe, and its calibration in counts of parts."""
    served = services.engine.products().get(product)
    if served is None:
        raise UnknownProduct
    versions = await on_disk(lambda: services.store.versions(product))
    answer = ProductAnswer(**_summary(served).model_dump(), versions=versions)
    if served.detector is None:
        return answer
    manifest = served.detector.manifest
    facts = {
        "profile": manifest.profile.name,
        "created": manifest.created,
        "training_parts": len(manifest.training_parts),
        "calibration": CalibrationAnswer.of(served.detector.calibration),
    }
    return answer.model_copy(update=facts)


@router.get("/healthz", tags=["health"])
async def healthz() -> Health:
    """Alive: the process answers."""
    return Health()


@router.get("/readyz", response_model_exclude_none=True, responses=Problems.of(503), tags=["health"])
async def readyz(request: Request, services: Services) -> Readiness:
    """Ready: parts of some product can be scored, and jobs are run. 503 names what is missing.
    Whoever may not read what the server holds is told neither products nor reasons."""
    reasons = services.not_ready()
    if reasons:
        raise not_ready(request, reasons)
    if not may_read(request.scope):
        return Readiness()
    return Readiness(
        device=services.device,
        products=_summaries(services.engine.products()),
        notes=services.state.notes(),
    )


def not_ready(request: Request, reasons: list[str]) -> Refusal:
    """The refusal of a service that is not ready, with the reasons for whoever may know them."""
    headers = {"Retry-After": "2"}
    if not may_read(request.scope):
        detail = "The service is not ready. Ask with a key of it for the reasons."
        return Refusal(503, "not_ready", detail, headers=headers)
    return Refusal(503, "not_ready", " ".join(reasons), headers=headers, extra={"not_ready": reasons})


def _summaries(served: dict[str, Served]) -> list[ProductSummary]:
    return [_summary(served[product]) for product in sorted(served)]


def _summary(served: Served) -> ProductSummary:
    return ProductSummary(
        product=served.product,
        state=served.state,
        bank_version=served.detector.version if served.detector else None,
        shadow_version=served.shadow.version if served.shadow else None,
        note=" ".join(filter(None, (served.note, served.shadow_note, served.threshold_note))) or None,
    )
