"""The bank versions of a product over HTTP: look, activate, roll back, pin, delete, shadow."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from banks.versions.files import load_roi
from banks.versions.manifest import MANIFEST, Manifest
from banks.versions.reviews import Review, UnknownPart, reviews_of
from banks.versions.store import (
    BadBank,
    BankNotFound,
    BankStore,
    BuildRuns,
    ProductExists,
    VersionInUse,
)
from banks.versions.thresholds import calibration_of
from models.digest import sha256_of
from service.answers.schemas import CalibrationAnswer
from service.api.audit import note_change
from service.api.names import ProductName, VersionName
from service.api.services import Problems, Services, SharedObjects
from service.disk_faults import is_full
from service.http.bodies import json_body, read_json
from service.refusals import Refusal, UnknownProduct
from service.threads import on_disk

_PNG = "image/png"
_T = TypeVar("_T")


class VersionSummary(BaseModel):
    """One bank version in a list."""

    version: str = Field(examples=["v3"])
    created: datetime | None = Field(None, description="UTC; null where the manifest cannot be read.")
    digest: str | None = Field(
        None,
        description="sha256 of the version's manifest: the same version has the same digest on every server.",
    )
    active: bool
    shadow: bool = Field(description="Whether this version scores every part along with the active version.")
    pinned: bool = Field(description="Whether this version stays until it is unpinned.")


class ListedVersion(VersionSummary):
    """One bank version in a list, with the evidence that one looks at before it is activated."""

    calibration: CalibrationAnswer | None = Field(
        None, description="The version's calibration. Null where the manifest cannot be read."
    )


class VersionList(BaseModel):
    """The bank versions of a product, oldest first."""

    product: str = Field(examples=["cookie"])
    active: str | None = Field(examples=["v3"])
    previous: str | None = Field(description="What a roll-back would activate.", examples=["v2"])
    versions: list[ListedVersion]


class VersionAnswer(VersionSummary):
    """One bank version: its manifest, its calibration as it is used, its size."""

    bytes: int = Field(description="On disk.")
    calibration: CalibrationAnswer = Field(description="With the threshold that was moved, if one was.")
    reviews: dict[str, Review] = Field(description="What a person said of the odd parts, by their names.")
    manifest: dict[str, Any] = Field(description="As the version was built.")


class Activation(BaseModel):
    """Which version parts of a product are scored with from now on."""

    product: str
    active: str
    previous: str | None


class ShadowChoice(BaseModel):
    """The version that shall score along."""

    model_config = ConfigDict(extra="forbid")

    version: str = Field(max_length=16, examples=["v4"])


router = APIRouter(tags=["versions"])


@router.get("/v1/products/{product}/versions", responses=Problems.of(404, 409, 422, 503))
async def list_versions(product: ProductName, services: Services) -> VersionList:
    """The versions of a product, oldest first."""
    return await of_store(partial(_list, services.store, product))


@router.get("/v1/products/{product}/versions/{version}", responses=Problems.of(404, 409, 422, 503))
async def show_version(product: ProductName, version: VersionName, services: Services) -> VersionAnswer:
    """One version: manifest and calibration report."""
    return await of_store(partial(version_answer, services.store, product, version))


@router.get(
    "/v1/products/{product}/versions/{version}/roi",
    responses={200: {"content": {_PNG: {"schema": {"type": "string", "format": "binary"}}}}}
    | Problems.of(404, 409, 422, 503),
    response_class=Response,
)
async def show_roi(product: ProductName, version: VersionName, services: Services) -> Response:
    """A version's region of interest, in source pixels: 0 nothing, 85 colour, 170 shape, 255 both."""
    picture = await of_store(partial(_roi, services.store, product, version))
    return Response(picture, media_type=_PNG)


@router.post(
    "/v1/products/{product}/versions/{version}/activate",
    responses=Problems.of(401, 403, 404, 409, 422, 503, 507),
)
async def activate(
    product: ProductName, version: VersionName, request: Request, services: Services
) -> Activation:
    """Score with this version from now on.

    The server loads and checks the version beside the active version. The old version scores the parts that
    were taken before. The answer comes after the swap. Nothing changes if the version cannot be served.
    """
    return await _activate(request, services, product, version, "activate")


@router.post("/v1/products/{product}/rollback", responses=Problems.of(401, 403, 404, 409, 422, 503, 507))
async def roll_back(product: ProductName, request: Request, services: Services) -> Activation:
    """Activate the version that was active before."""
    previous = await of_store(partial(_previous, services.store, product))
    return await _activate(request, services, product, previous, "rollback")


@router.delete(
    "/v1/products/{product}/versions/{version}",
    status_code=204,
    responses=Problems.of(401, 403, 404, 409, 422, 503, 507),
)
async def delete_version(
    product: ProductName, version: VersionName, request: Request, services: Services
) -> Response:
    """Delete a version that is neither active, nor the shadow, nor pinned. Its name is never used again."""
    before = await on_disk(partial(facts_of, services.store, product, version))
    created = {"created": str(before["created"])} if before else {}
    note_change(request, "delete", product=product, bank_version=version, before=created)
    delete = partial(_refusing, partial(services.store.delete, product, version))
    await asyncio.wrap_future(services.engine.residents.forget(product, version, delete))
    return Response(status_code=204)


@router.put(
    "/v1/products/{product}/versions/{version}/pin", responses=Problems.of(401, 403, 404, 409, 422, 503, 507)
)
async def pin_version(
    product: ProductName, version: VersionName, request: Request, services: Services
) -> VersionList:
    """Keep a version until it is unpinned: it is not deleted, not even by TRIBANK_KEEP_VERSIONS."""
    return await _pin(request, services, product, version, keep=True)


@router.delete(
    "/v1/products/{product}/versions/{version}/pin", responses=Problems.of(401, 403, 404, 409, 422, 503, 507)
)
async def unpin_version(
    product: ProductName, version: VersionName, request: Request, services: Services
) -> VersionList:
    """Let the version be deleted again."""
    return await _pin(request, services, product, version, keep=False)


@router.put(
    "/v1/products/{product}/shadow",
    responses=Problems.of(401, 403, 404, 408, 409, 413, 415, 422, 503, 507),
    openapi_extra=json_body(ShadowChoice),
)
async def cast_shadow(product: ProductName, request: Request, services: Services) -> VersionList:
    """Let a second version score every part along with the active one.

    The second version decides nothing, and scores only while no part waits. The log has one line
    `part_shadowed` for each of its results, marked `is_simulated`, which says whether both versions agree.
    """
    choice = await read_json(request, ShadowChoice)
    return await _set_shadow(request, services, product, choice.version)


@router.delete("/v1/products/{product}/shadow", responses=Problems.of(401, 403, 404, 409, 422, 503, 507))
async def end_shadow(product: ProductName, request: Request, services: Services) -> VersionList:
    """End the scoring by a second version."""
    return await _set_shadow(request, services, product, None)


async def _activate(
    request: Request, services: SharedObjects, product: str, version: str, action: str
) -> Activation:
    store, residents = services.store, services.engine.residents
    await of_store(partial(store.path, product, version))
    before = await of_store(partial(_named, store.current, product))
    note_change(
        request,
        action,
        product=product,
        bank_version=version,
        before={"active": before},
        after={"active": version},
    )
    write = partial(_refusing, partial(store.activate, product, version))
    await asyncio.wrap_future(residents.activate(product, version, write))
    previous = await of_store(partial(store.previous, product))
    return Activation(product=product, active=version, previous=previous)


async def _pin(
    request: Request, services: SharedObjects, product: str, version: str, *, keep: bool
) -> VersionList:
    store = services.store
    before = version in await of_store(partial(store.pinned, product))
    note_change(
        request,
        "pin" if keep else "unpin",
        product=product,
        bank_version=version,
        before={"pinned": before},
        after={"pinned": keep},
    )
    await of_store(partial(store.pin, product, version, keep=keep))
    return await of_store(partial(_list, store, product))


async def _set_shadow(
    request: Request, services: SharedObjects, product: str, version: str | None
) -> VersionList:
    store = services.store
    current = await of_store(partial(store.current, product))
    if current is None:
        raise UnknownProduct
    if version == current:
        raise Refusal(409, "already_active", f"Version {version} is the active one; shadow another one.")
    note_change(
        request,
        "shadow" if version else "end_shadow",
        product=product,
        bank_version=version,
        before={"shadow": await of_store(partial(_named, store.shadow, product))},
        after={"shadow": version},
    )
    await of_store(partial(store.set_shadow, product, version))
    await asyncio.wrap_future(services.engine.residents.refresh(product))
    return await of_store(partial(_list, store, product))


def _named(read: Callable[[str], str | None], product: str) -> str | None:
    """The version that a file of the product names; None where the file is damaged and about to be mended."""
    try:
        return read(product)
    except BadBank:
        return None


def _list(store: BankStore, product: str) -> VersionList:
    versions = store.versions(product)
    if not versions and product not in store.folders():
        raise UnknownProduct
    current, shadow, pinned = store.current(product), store.shadow(product), store.pinned(product)
    rows = [
        ListedVersion(
            version=version,
            active=version == current,
            shadow=version == shadow,
            pinned=version in pinned,
            **facts_of(store, product, version),
        )
        for version in versions
    ]
    return VersionList(product=product, active=current, previous=store.previous(product), versions=rows)


def facts_of(store: BankStore, product: str, version: str) -> dict[str, Any]:
    """What a list tells of a version beside its name; empty where the manifest cannot be read."""
    try:
        folder = store.path(product, version)
        manifest, digest = Manifest.read(folder), sha256_of(folder / MANIFEST)
        calibration = CalibrationAnswer.of(calibration_of(folder, manifest.calibration))
    except (BankNotFound, OSError, ValueError):
        return {}
    return {"created": manifest.created, "digest": digest, "calibration": calibration}


def version_answer(store: BankStore, product: str, version: str) -> VersionAnswer:
    """All about one version. Raises BankNotFound, BadBank."""
    folder = store.path(product, version)
    manifest = _manifest(folder)
    return VersionAnswer(
        version=version,
        created=manifest.created,
        digest=sha256_of(folder / MANIFEST),
        active=version == store.current(product),
        shadow=version == store.shadow(product),
        pinned=version in store.pinned(product),
        bytes=sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()),
        calibration=CalibrationAnswer.of(calibration_of(folder, manifest.calibration)),
        reviews=dict(reviews_of(folder)),
        manifest=manifest.model_dump(mode="json"),
    )


def _roi(store: BankStore, product: str, version: str) -> bytes:
    folder = store.path(product, version)
    roi = load_roi(folder, _manifest(folder))
    if roi is None:
        detail = f"Version {version} was built without a region of interest, so all of the part is inspected."
        raise Refusal(404, "no_roi", detail)
    return roi.to_png()


def _manifest(folder: Path) -> Manifest:
    """The manifest of a version. Raises BadBank."""
    try:
        return Manifest.read(folder)
    except (OSError, ValueError):
        raise BadBank(f"The manifest of version {folder.name} cannot be read.") from None


def _previous(store: BankStore, product: str) -> str:
    if not store.versions(product):
        raise UnknownProduct
    previous = store.previous(product)
    if previous is None:
        detail = "No version was active before this one, or it was deleted. Activate one by its name."
        raise Refusal(409, "nothing_to_roll_back_to", detail)
    return previous


async def of_store(call: Callable[[], _T]) -> _T:
    """Make a call that reads or writes the store, away from the event loop. Raises Refusal."""
    return await on_disk(partial(_refusing, call))


def _refusing(call: Callable[[], _T]) -> _T:
    """The call's result. Raises Refusal for what the store says no to."""
    try:
        return call()
    except BankNotFound as error:
        raise Refusal(404, "unknown_version", str(error)) from None
    except UnknownPart as error:
        raise Refusal(404, "not_odd", str(error)) from None
    except VersionInUse as error:
        raise Refusal(409, "version_in_use", str(error)) from None
    except ProductExists as error:
        raise Refusal(409, "product_exists", str(error)) from None
    except BuildRuns as error:
        raise Refusal(409, "product_in_use", str(error)) from None
    except BadBank as error:
        raise Refusal(409, "bank_damaged", str(error)) from None
    except OSError as error:
        if is_full(error):
            raise Refusal(507, "disk_full", "The disk of the banks is full; nothing was changed.") from None
        detail = "The bank directory cannot be written; nothing was changed. See its permissions."
        raise Refusal(503, "banks_not_writable", detail) from None
