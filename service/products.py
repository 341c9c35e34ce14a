"""Which products are served: loading them from the store, and telling about them."""

from __future__ import annotations

import asyncio
from pathlib import Path

from fastapi import APIRouter

from banks.detector import Detector
from banks.store import BadBank, BankNotFound, BankStore
from service.engine import Loaded, Served
from service.problems import NotReady, Refusal, UnknownProduct
from service.schemas import (
    CalibrationAnswer,
    Health,
    ProductAnswer,
    ProductList,
    ProductSummary,
    Readiness,
)
from service.wiring import Problems, Services


class StoreLoader:
    """Loads detectors of the active versions; a damaged one gives way to the newest whole one before it."""

    def __init__(self, store: BankStore, *, device: str, weights: Path) -> None:
        self._store = store
        self._device = device
        self._weights = weights

    def products(self) -> list[str]:
        """Products with an active version."""
        return self._store.products()

    def load(self, product: str) -> Loaded:
        """Raises Refusal when no version of the product can be served."""
        active = self._store.current(product)
        others = [v for v in reversed(self._store.versions(product)) if v != active]
        passed_over: list[str] = []
        for version in [active, *others] if active else []:
            try:
                folder = self._store.path(product, version)
                detector = Detector.load(folder, device=self._device, weights_dir=self._weights)
            except (BadBank, BankNotFound):
                passed_over.append(version)
                continue
            note = f"Version {active} is damaged; serving {version}." if passed_over else ""
            return Loaded(detector, note)
        detail = f"No version can be served ({', '.join(passed_over) or 'none'}). Run 'tribank banks verify'."
        raise NotReady("bank_failed", detail)


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
async def show_product(product: str, services: Services) -> ProductAnswer:
    """One product: its bank version, its versions, its recipe, and its calibration in counts of parts."""
    served = services.engine.products().get(product)
    if served is None:
        raise UnknownProduct
    versions = await asyncio.get_running_loop().run_in_executor(
        services.encoders, services.store.versions, product
    )
    answer = ProductAnswer(**_summary(served).model_dump(), versions=versions)
    if served.detector is None:
        return answer
    manifest = served.detector.manifest
    facts = {
        "profile": manifest.profile.name,
        "created": manifest.created,
        "training_parts": len(manifest.training_parts),
        "calibration": CalibrationAnswer.of(manifest.calibration),
    }
    return answer.model_copy(update=facts)


@router.get("/healthz", tags=["health"])
async def healthz() -> Health:
    """Alive: the process answers."""
    return Health()


@router.get("/readyz", response_model_exclude_none=True, responses=Problems.of(503), tags=["health"])
async def readyz(services: Services) -> Readiness:
    """Ready: every product's bank is loaded and warmed up. 503 names what is not."""
    reasons = services.engine.not_ready()
    if reasons:
        headers = {"Retry-After": "2"}
        raise Refusal(503, "not_ready", " ".join(reasons), headers=headers, extra={"not_ready": reasons})
    return Readiness(products=_summaries(services.engine.products()))


def _summaries(served: dict[str, Served]) -> list[ProductSummary]:
    return [_summary(served[product]) for product in sorted(served)]


def _summary(served: Served) -> ProductSummary:
    version = served.detector.version if served.detector else None
    return ProductSummary(
        product=served.product, state=served.state, bank_version=version, note=served.note or None
    )
