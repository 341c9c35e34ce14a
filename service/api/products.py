"""The routes of the products and of the server's health."""

from __future__ import annotations

from fastapi import APIRouter, Request

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
from service.engine.detectors import Served
from service.http.access import may_read, may_see
from service.refusals import Refusal, UnknownProduct
from service.threads import on_disk

router = APIRouter()


@router.get("/v1/products", response_model_exclude_none=True, tags=["products"])
async def list_products(request: Request, services: Services) -> ProductList:
    """The products of this server that the client may see."""
    served = services.engine.products().items()
    seen = {name: one for name, one in served if may_see(request.scope, name)}
    return ProductList(products=_summaries(seen))


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
        note=" ".join(
            filter(None, (served.note, served.shadow_note, served.sensor_note, served.threshold_note))
        )
        or None,
    )
