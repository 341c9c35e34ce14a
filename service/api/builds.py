"""POST /v1/products/{product}/builds: good parts in, a job that builds a version of their banks out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from banks.versions.manifest import Manifest
from banks.versions.store import PRODUCT_NAME, BadBank, BankNotFound, BankStore
from models.readers.product_folder import open_product_folder
from models.readers.product_places import NotAProductFolder
from models.sample import BadSample
from recipes.profiles import PROFILES
from recipes.sensor import Unit
from service.api.audit import note_change
from service.api.jobs import JobAnswer, accepted
from service.api.names import ProductName
from service.api.repeats import IdempotencyKey, scoped_key
from service.api.services import Problems, Services
from service.api.zip_upload import ZIP, ZIP_BODIES, ZipLimits, receive_zip
from service.http.access import client_of, key_name
from service.http.bodies import component, read_json
from service.http.headers import OF_JOBS, described
from service.http.queries import QueryModel
from service.http.uploads import FORM
from service.jobs.archive import FILE, PartsArchive
from service.jobs.build import PARTS, BuildJob
from service.records.kept_parts import accepted_name
from service.records.recorder import Records
from service.records.results import Filter
from service.refusals import Refusal
from service.threads import on_disk

_JSON = "application/json"
ResultId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]


class BuildOptions(QueryModel):
    """How to build: its query."""

    profile: str | None = Field(
        None,
        max_length=64,
        description="Name of the profile. Default: embedded.",
        examples=["embedded-point"],
    )
    seed: int | None = Field(
        None, ge=0, lt=2**31, description="Seed of the random projection before the coreset.", examples=[0]
    )
    no_return: float | None = Field(
        None,
        allow_inf_nan=False,
        description="The z in metres that means no return, beside 0, 0, 0 and NaN.",
        examples=[9999],
    )
    xyz_unit: Unit | None = Field(
        None,
        description="Unit of the coordinates in the files of the parts. Without it: the unit in the zip's "
        "sensor.json, else the unit that the file names, else metres.",
        examples=["mm"],
    )
    scale: int | None = Field(
        None,
        ge=1,
        le=3,
        description="How fine the grids are: 224, 448 or 672 points along an edge. Finer grids find smaller "
        "defects and cost more; docs/profiles.md says how much. Default: 1.",
        examples=[2],
    )
    extend: str | None = Field(
        None,
        max_length=16,
        description="Add the parts to the parts of this version (or: active), with its profile and settings.",
        examples=["active", "v3"],
    )


class PartsSource(BaseModel):
    """Good parts that the server has: a folder, or parts that it rejected and people called good."""

    model_config = ConfigDict(extra="forbid")

    folder: str | None = Field(
        None, min_length=1, max_length=255, description="Folder below the server's TRIBANK_PARTS_DIR."
    )
    results: Literal["accepted"] | list[ResultId] | None = Field(
        None,
        max_length=1000,
        description="Results whose parts are added. accepted: all rejected parts of the product that "
        "a person judged good.",
    )

    @model_validator(mode="after")
    def _one(self) -> PartsSource:
        if (self.folder is None) == (self.results is None):
            raise ValueError("give either folder or results")
        return self


class BuildRoutes:
    """The route of builds. parts_dir: where folders may lie."""

    def __init__(self, limits: ZipLimits, parts_dir: Path | None) -> None:
        self._limits = limits
        self._parts_dir = parts_dir
        self.router = APIRouter(tags=["versions"])
        schema = {"schema": component(PartsSource)}
        self.router.add_api_route(
            "/v1/products/{product}/builds",
            self.build_version,
            methods=["POST"],
            status_code=202,
            response_model=JobAnswer,
            response_model_exclude_none=True,
            responses={202: {"headers": described(*OF_JOBS)}}
            | Problems.of(400, 401, 403, 404, 408, 409, 413, 415, 422, 429, 503, 507),
            openapi_extra={"requestBody": {"required": True, "content": {**ZIP_BODIES, _JSON: schema}}},
        )

    async def build_version(
        self,
        product: ProductName,
        request: Request,
        services: Services,
        options: Annotated[BuildOptions, Query()],
        key: IdempotencyKey = None,
    ) -> Response:
        """Build a version from good parts: a zip of parts, or a JSON object that says where the parts are.

        The answer is a job. The result of the job names the new version. The new version is not active yet.
        """
        note_change(request, "build", product=product)
        asked = await on_disk(lambda: _checked(services.store, product, options))
        with ExitStack() as held:
            entered = services.arrivals.enter(client_of(request.scope), {services.builds: 1})
            arrival = held.enter_context(entered)
            folder = held.enter_context(services.jobs.store.receiving())
            if request.headers.get("content-type", "").partition(";")[0].strip().lower() == _JSON:
                source = await read_json(request, PartsSource)
                digest = hashlib.sha256(source.model_dump_json().encode()).hexdigest()
                known = await on_disk(lambda: _known_parts(services.store, product, asked))
                asked |= await on_disk(lambda: self._source(source, product, known, folder, services.records))
            else:
                digest = await receive_zip(request, folder / FILE, self._limits, arrival, (ZIP, FORM, _JSON))
                (await on_disk(lambda: PartsArchive(folder / FILE, self._limits.archive))).close()
            job = await services.jobs.submit(
                BuildJob.name,
                product,
                asked,
                folder=folder,
                key=scoped_key(request, BuildJob.name, product, key),
                digest=f"{digest} {options.model_dump_json()}",
                owner=key_name(request.scope),
            )
        note_change(request, "build", subject=job.id, after=asked)
        return accepted(job, services.jobs)

    def _source(
        self, source: PartsSource, product: str, known: frozenset[str], folder: Path, records: Records
    ) -> dict[str, Any]:
        """What the job's request says of its parts; those of results are put into the folder."""
        if source.folder is not None:
            self._check_folder(source.folder)
            return {"folder": source.folder}
        if not known:
            detail = "Parts of results are added to a version that keeps its own: say extend=active."
            raise Refusal(422, "nothing_to_extend", detail)
        return {"results": _accepted(source.results or (), product, known, folder / PARTS, records)}

    def _check_folder(self, name: str) -> None:
        """Raises Refusal for a folder that holds no parts, or does not lie below the one that is meant for
        them."""
        if self._parts_dir is None:
            detail = "This server takes no folders: its operator has not set TRIBANK_PARTS_DIR. Send a zip."
            raise Refusal(409, "no_parts_dir", detail)
        root = self._parts_dir.resolve()
        try:
            path = (root / name).resolve()
            inside = path.is_relative_to(root)
        except (OSError, ValueError):  # a loop of links, a NUL
            inside, path = False, root
        if not inside:
            raise Refusal(422, "unsafe_folder", "The folder must lie below the server's TRIBANK_PARTS_DIR.")
        try:
            open_product_folder(path)
        except (NotAProductFolder, BadSample, OSError) as error:
            raise Refusal(422, "no_parts", str(error).replace(f"{root}/", "")) from None


def _checked(store: BankStore, product: str, options: BuildOptions) -> dict[str, Any]:
    """The options as a job's request; what cannot be built is refused before a byte is received."""
    if not PRODUCT_NAME.match(product):
        raise invalid_product()
    if options.profile is not None and options.profile not in PROFILES:
        detail = f"There is no profile of that name. There are: {', '.join(PROFILES)}."
        raise Refusal(422, "unknown_profile", detail)
    asked = options.model_dump(exclude_none=True)
    if options.extend is None:
        return asked
    if len(asked) > 1:
        detail = "A version is extended with its own profile, seed and settings: leave them out."
        raise Refusal(422, "invalid_parameter", detail)
    try:
        path = store.path(product, None if options.extend == "active" else options.extend)
        kept = Manifest.read(path).kept
    except BankNotFound as error:
        raise Refusal(404, "unknown_version", str(error)) from None
    except (BadBank, OSError, ValueError):
        raise Refusal(409, "bank_damaged", "The manifest of that version cannot be read.") from None
    if not kept:
        detail = f"Version {path.name} did not keep its parts. Build one from all of them."
        raise Refusal(409, "parts_not_kept", detail)
    return {"extend": path.name}


def invalid_product() -> Refusal:
    """The refusal of a name that no product may have."""
    detail = "A product's name is 1 to 63 of a-z, 0-9, '-' and '_', and starts with a letter or digit."
    return Refusal(422, "invalid_product", detail)


def _known_parts(store: BankStore, product: str, asked: dict[str, Any]) -> frozenset[str]:
    """The training parts of the version to extend; none where none is."""
    if "extend" not in asked:
        return frozenset()
    return frozenset(Manifest.read(store.path(product, asked["extend"])).training_parts)


def _accepted(
    asked: Iterable[str] | Literal["accepted"],
    product: str,
    known: frozenset[str],
    folder: Path,
    records: Records,
) -> list[str]:
    """Put the parts of results into the folder, but for those that the version knows. Raises Refusal."""
    records.catch_up()
    wanted = list(_all_accepted(product, records) if asked == "accepted" else asked)
    for name in wanted:
        kept = records.store.find(name)
        if kept is None or kept.result.product != product:
            raise Refusal(404, "unknown_result", f"There is no result {name} of this product.")
        if kept.verdict != "good":
            detail = f"Nobody has called the part of result {name} good. PUT its feedback first."
            raise Refusal(409, "not_accepted", detail)
    fresh = [name for name in dict.fromkeys(wanted) if accepted_name(name) not in known]
    folder.mkdir()
    gone = records.parts.copy(fresh, folder)
    if gone and asked != "accepted":
        detail = f"The part of result {gone[0]} is no longer kept. Send it in a zip of good parts."
        raise Refusal(409, "part_not_kept", detail)
    left = [name for name in fresh if name not in gone]
    if not left:
        detail = "There is no accepted part that is kept and that the version does not hold already."
        raise Refusal(409, "nothing_to_add", detail)
    return left


def _all_accepted(product: str, records: Records) -> Iterable[str]:
    """Results whose part people called good and that is kept, the newest first."""
    for page in records.store.all(Filter(product=product, verdict="good")):
        yield from (kept.result.id for kept in page if records.parts.has(kept.result.id))
