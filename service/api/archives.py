"""A version as one file: GET .../versions/{version}/archive sends it, POST .../versions takes it in."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import ExitStack
from functools import partial
from typing import TypeVar

from fastapi import APIRouter, Request, Response
from structlog.typing import FilteringBoundLogger

from banks.versions.archive import Archive, Unpacker
from banks.versions.store import PRODUCT_NAME
from banks.versions.travel import Arrived, BadParcel, Landing, OtherProduct
from service.answers.renderers import JSON
from service.api.audit import note_change
from service.api.builds import invalid_product
from service.api.names import ProductName, VersionName
from service.api.services import Problems, Services
from service.api.versions import VersionAnswer, of_store, version_answer
from service.http.access import client_of
from service.http.headers import described
from service.http.streams import LineStream
from service.http.uploads import bounded, check_head
from service.jobs.old_versions import OldVersions
from service.jobs.trial import Trial
from service.refusals import Refusal
from service.settings import Settings
from service.threads import on_disk

TAR = "application/x-tar"
_FILE = {"schema": {"type": "string", "format": "binary"}}
_T = TypeVar("_T")


class ArchiveRoutes:
    """The two routes."""

    def __init__(self, settings: Settings, old_versions: OldVersions, logger: FilteringBoundLogger) -> None:
        self._most_bytes = settings.max_version_bytes
        self._timeout_s = settings.batch_timeout_s
        self._old_versions = old_versions
        self._trial = Trial(settings, logger)
        self.router = APIRouter(tags=["versions"])
        self.router.add_api_route(
            "/v1/products/{product}/versions/{version}/archive",
            self.send_archive,
            methods=["GET"],
            responses={200: {"content": {TAR: _FILE}}} | Problems.of(404, 409, 422, 429, 503, 507),
            response_class=Response,
        )
        self.router.add_api_route(
            "/v1/products/{product}/versions",
            self.take_archive,
            methods=["POST"],
            status_code=201,
            response_model=VersionAnswer,
            responses={
                200: {
                    "description": "The version was there already.",
                    "model": VersionAnswer,
                    "headers": described("Location"),
                },
                201: {"description": "The version arrived.", "headers": described("Location")},
            }
            | Problems.of(400, 401, 403, 404, 408, 409, 413, 415, 422, 429, 503, 507),
            openapi_extra={"requestBody": {"required": True, "content": {TAR: _FILE}}},
        )

    async def send_archive(
        self, product: ProductName, version: VersionName, request: Request, services: Services
    ) -> Response:
        """A version as one tar file, for another server or for `tribank banks pull`.

        The archive holds all files of the version, its moved threshold and the reviews of its odd parts. The
        files are compared with the manifest first.
        """
        with ExitStack() as held:
            held.enter_context(services.exports.enter(client_of(request.scope)))
            archive = await of_store(partial(Archive, services.store, product, version))
            held.callback(archive.close)
            headers = {
                "Content-Length": str(archive.size),
                "Content-Disposition": f'attachment; filename="{product}-{version}.tar"',
            }
            return LineStream(
                _pieces(archive),
                media_type=TAR,
                stall_s=services.stall_s,
                held=held.pop_all(),
                headers=headers,
            )

    async def take_archive(self, product: ProductName, request: Request, services: Services) -> Response:
        """Take in a version from an archive of another server. The version gets the next free name.

        Every file is compared with the manifest, and the probe part must score as where the version was
        built. Then the version is published at once. It is not active. A version that is there already is
        answered with 200 and its name, so the same archive may be sent again.
        """
        note_change(request, "upload", product=product)
        if not PRODUCT_NAME.match(product):
            raise invalid_product()
        check_head(request.headers, self._most_bytes, (TAR,))
        landing = Landing(services.store, product)
        try:
            with services.arrivals.enter(client_of(request.scope), {services.builds: 1}) as arrival:
                unpacker = Unpacker(landing)
                chunks = bounded(request.stream(), self._most_bytes, self._timeout_s, arrival)
                async for chunk in chunks:
                    await _of_archive(partial(unpacker.feed, chunk))
                await _of_archive(unpacker.finish)
                if landing.folder is not None:
                    await self._trial.run(landing.folder)
                arrived = await _of_archive(landing.end)
        finally:
            await on_disk(landing.close)
        _note(request, product, landing, arrived)
        if arrived.new:
            await self._old_versions.delete(product)
        answer = await of_store(partial(version_answer, services.store, product, arrived.name))
        headers = {"Location": f"/v1/products/{product}/versions/{arrived.name}"}
        return Response(answer.model_dump_json(), 201 if arrived.new else 200, headers, JSON)


def _note(request: Request, product: str, landing: Landing, arrived: Arrived) -> None:
    assert landing.parcel is not None
    after = {"was": landing.parcel.version, "sha256": landing.parcel.digest, "new": arrived.new}
    note_change(request, "upload", product=product, bank_version=arrived.name, after=after)


async def _pieces(archive: Archive) -> AsyncGenerator[bytes]:
    pieces = archive.pieces()
    while (piece := await on_disk(lambda: next(pieces, None))) is not None:
        yield piece


async def _of_archive(call: Callable[[], _T]) -> _T:
    """Make a call that reads an archive or writes what it holds, away from the event loop. Raises Refusal."""

    def checked() -> _T:
        try:
            return call()
        except BadParcel as error:
            raise Refusal(422, "bad_archive", str(error)) from None
        except OtherProduct as error:
            detail = f"{error} Send the archive to /v1/products/{error.product}/versions."
            raise Refusal(422, "other_product", detail) from None

    return await of_store(checked)
