"""The routes of the products and of the server's health."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from banks.versions.manifest import MANIFEST, Manifest
from banks.versions.store import CURRENT, PRODUCT_NAME, BankNotFound
from banks.versions.thresholds import calibration_of
from models.digest import sha256_of
from service.answers.schemas import (
    CalibrationAnswer,
    DriftAnswer,
    Health,
    ProductAnswer,
    ProductList,
    ProductState,
    ProductSummary,
    Readiness,
    ScorerSummary,
)
from service.api.audit import note_change
from service.api.builds import invalid_product
from service.api.names import ProductName
from service.api.services import Problems, Services, SharedObjects
from service.api.versions import of_store
from service.engine.detectors import Served
from service.http.access import may_read, may_see
from service.http.queries import QueryModel
from service.refusals import Refusal, UnknownProduct
from service.threads import on_disk

if TYPE_CHECKING:
    from service.cluster.fleet import ScorerState

router = APIRouter()


class DeletionQuery(QueryModel):
    """Whether the deletion is meant."""

    confirm: str = Field(max_length=64, description="The name of the product, again.", examples=["cookie"])


@router.get("/v1/products", response_model_exclude_none=True, tags=["products"])
async def list_products(request: Request, services: Services) -> ProductList:
    """The products of this server that the client may see."""
    served, folders = services.engine.products(), []
    with suppress(OSError):  # what is in memory is served, whatever the disk says
        folders = await on_disk(services.store.folders)
    names = sorted(name for name in {*folders, *served} if may_see(request.scope, name))
    seen = [served.get(name) for name in names]
    states = await on_disk(lambda: [one and _state(one, services) for one in seen])
    return ProductList(products=[state or _empty(name) for name, state in zip(names, states, strict=True)])


@router.get(
    "/v1/products/{product}",
    response_model_exclude_none=True,
    responses=Problems.of(404, 409, 422, 503),
    tags=["products"],
)
async def show_product(product: ProductName, services: Services) -> ProductAnswer:
    """One product: its bank version, its versions, its recipe, and its calibration in counts of parts."""
    served = services.engine.products().get(product)
    if served is None:
        return await _show_empty(product, services)
    versions = await of_store(partial(services.store.versions, product))
    state = await on_disk(partial(_state, served, services))
    answer = ProductAnswer(**state.model_dump(), versions=versions)
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


@router.put(
    "/v1/products/{product}",
    status_code=201,
    response_model_exclude_none=True,
    responses=Problems.of(401, 403, 404, 409, 422, 503, 507),
    tags=["products"],
)
async def create_product(product: ProductName, request: Request, services: Services) -> ProductAnswer:
    """Create a product without a version. A build of a new product creates it, too."""
    note_change(request, "create_product", product=product)
    if not PRODUCT_NAME.match(product):
        raise invalid_product()
    if product in services.engine.products():
        raise Refusal(409, "product_exists", f"Product {product} exists already.")
    await of_store(partial(services.store.create, product))
    return await _show_empty(product, services)


@router.delete(
    "/v1/products/{product}",
    status_code=204,
    responses=Problems.of(401, 403, 404, 409, 422, 503, 507),
    tags=["products"],
)
async def delete_product(
    product: ProductName, query: Annotated[DeletionQuery, Query()], request: Request, services: Services
) -> Response:
    """Delete a product with all its versions. Nothing brings them back but a backup.

    Results and changes of the product stay on record. The names of its versions are never used again. A
    product with an unfinished job, or with a build by a command, is not deleted.
    """
    store = services.store
    if query.confirm != product:
        detail = f"To delete the product with all its versions, send its name: confirm={product}."
        raise Refusal(422, "not_confirmed", detail)
    if product not in await of_store(store.folders):
        raise UnknownProduct
    if await on_disk(lambda: services.jobs.store.unfinished_of(product)):
        detail = "Jobs of this product wait or run. Cancel them (GET /v1/jobs), or wait until they end."
        raise Refusal(409, "product_in_use", detail)
    versions, active = await of_store(lambda: (store.versions(product), store.current(product)))
    before = {"active": active, "versions": versions}
    note_change(request, "delete_product", product=product, before=before)
    await of_store(partial(store.delete_product, product))
    with suppress(UnknownProduct):
        await asyncio.wrap_future(services.engine.residents.refresh(product))
    return Response(status_code=204)


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
        scorers=None if services.fleet is None else [_scorer(one) for one in services.fleet.scorers()],
        notes=services.state.notes(),
    )


def _scorer(state: ScorerState) -> ScorerSummary:
    facts = state.facts
    return ScorerSummary(
        scorer=state.name,
        answers=state.up,
        device=facts.get("device"),
        versions=len(state.versions),
        parts=state.in_work,
        memory_bytes=facts.get("memory_bytes"),
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


async def _show_empty(product: str, services: SharedObjects) -> ProductAnswer:
    """A product without an active version. Raises UnknownProduct."""
    if product not in await of_store(services.store.folders):
        raise UnknownProduct
    versions = await of_store(partial(services.store.versions, product))
    return ProductAnswer(**_empty(product).model_dump(), versions=versions)


def _empty(product: str) -> ProductState:
    return ProductState.model_validate({"product": product, "state": "empty"})


def _written(file: Path) -> datetime:
    return datetime.fromtimestamp(file.stat().st_mtime, UTC)


def _state(served: Served, services: SharedObjects) -> ProductState:
    """A product with what memory and disk say of its version. What the disk does not tell is left out."""
    store, product, detector = services.store, served.product, served.detector
    calibration = None if detector is None else detector.calibration
    told: dict[str, Any] = {"active_version": served.wanted, "degraded": served.degraded}
    with suppress(BankNotFound, OSError, ValueError):
        told["active_since"] = _written(store.root / product / CURRENT)
        folder = store.path(product, served.wanted if detector is None else detector.version)
        told["digest"] = sha256_of(folder / MANIFEST)
        calibration = calibration or calibration_of(folder, Manifest.read(folder).calibration)
    if calibration is not None:
        told["threshold"] = calibration.threshold
        told["relative_threshold"] = calibration.relative(calibration.threshold)
    drift = None if detector is None else services.metrics.drift(detector)
    told["drift"] = None if drift is None else DriftAnswer.model_validate(drift, from_attributes=True)
    return ProductState(**_summary(served).model_dump(), **told)


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
