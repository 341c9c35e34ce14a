"""The calibration of a version over HTTP: move the threshold, say whether an odd good part is good."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request

from banks.versions.manifest import Manifest
from banks.versions.reviews import PartReview, review
from banks.versions.store import BadBank, BankStore
from banks.versions.thresholds import MovedThreshold, calibration_of, move_threshold
from service.answers.schemas import CalibrationAnswer
from service.api.audit import note_change
from service.api.names import ProductName, VersionName
from service.api.services import Problems, Services, SharedObjects
from service.api.versions import VersionAnswer, facts_of, of_store, version_answer
from service.http.bodies import json_body, read_json
from service.threads import on_disk

router = APIRouter(tags=["versions"])


@router.put(
    "/v1/products/{product}/versions/{version}/threshold",
    responses=Problems.of(401, 403, 404, 408, 409, 413, 415, 422, 503, 507),
    openapi_extra=json_body(MovedThreshold),
)
async def set_threshold(
    product: ProductName, version: VersionName, request: Request, services: Services
) -> CalibrationAnswer:
    """Move a version's threshold without a rebuild: to a score, or to a false-reject rate."""
    moved = await read_json(request, MovedThreshold)
    return await _move_threshold(request, services, product, version, moved)


@router.delete(
    "/v1/products/{product}/versions/{version}/threshold",
    responses=Problems.of(401, 403, 404, 409, 422, 503, 507),
)
async def reset_threshold(
    product: ProductName, version: VersionName, request: Request, services: Services
) -> CalibrationAnswer:
    """Set a version's threshold back to the threshold of its calibration."""
    return await _move_threshold(request, services, product, version, None)


@router.put(
    "/v1/products/{product}/versions/{version}/odd-parts",
    responses=Problems.of(401, 403, 404, 408, 409, 413, 415, 422, 503, 507),
    openapi_extra=json_body(PartReview),
)
async def review_odd_part(
    product: ProductName, version: VersionName, request: Request, services: Services
) -> VersionAnswer:
    """Say whether an odd good part is good. Threshold and coverage follow at once, without a rebuild.

    A part that is good counts again. A dropped part never counts. The banks stay as they are; a version that
    extends this one learns without the dropped parts.
    """
    said = await read_json(request, PartReview)
    show = partial(of_store, partial(version_answer, services.store, product, version))
    before = await show()
    await of_store(partial(review, services.store, product, version, [said]))
    await _refreshed(services, product)
    answer = await show()
    note_change(
        request,
        "review",
        product=product,
        bank_version=version,
        subject=said.part,
        before=_reviewed(before, said.part),
        after=_reviewed(answer, said.part),
    )
    return answer


async def _move_threshold(
    request: Request, services: SharedObjects, product: str, version: str, moved: MovedThreshold | None
) -> CalibrationAnswer:
    store = services.store
    before = await on_disk(partial(facts_of, store, product, version))
    answer = await of_store(partial(_moved, store, product, version, moved))
    await _refreshed(services, product)
    note_change(
        request,
        "threshold",
        product=product,
        bank_version=version,
        before=_threshold(before["calibration"]) if before else {},
        after=_threshold(answer),
    )
    return answer


async def _refreshed(services: SharedObjects, product: str) -> None:
    """The server scores by what the files beside the versions say now."""
    if product in services.engine.products():
        await asyncio.wrap_future(services.engine.residents.refresh(product))


def _moved(store: BankStore, product: str, version: str, moved: MovedThreshold | None) -> CalibrationAnswer:
    folder = store.path(product, version)
    move_threshold(store, product, version, moved)
    try:
        return CalibrationAnswer.of(calibration_of(folder, Manifest.read(folder).calibration))
    except ValueError:
        raise BadBank(f"The manifest of version {version} cannot be read.") from None


def _threshold(calibration: CalibrationAnswer) -> dict[str, Any]:
    return {"threshold": calibration.threshold, "basis": calibration.basis}


def _reviewed(answer: VersionAnswer, part: str) -> dict[str, Any]:
    said = answer.reviews.get(part)
    return {"review": said} | _threshold(answer.calibration)
