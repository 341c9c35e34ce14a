"""Pictures of the good parts that a version was built from: what a rejected part was compared with."""

from __future__ import annotations

import io
from typing import Annotated

from fastapi import APIRouter, Query, Response
from PIL import Image
from pydantic import Field
from safetensors import SafetensorError

from banks.versions.builder import PARTS
from banks.versions.good_parts import picture_of
from banks.versions.store import BankNotFound, BankStore
from service.api.names import ProductName, VersionName
from service.api.services import Problems, Services
from service.http.queries import QueryModel
from service.refusals import Refusal
from service.threads import on_disk

_JPEG = "image/jpeg"


class GoodPartQuery(QueryModel):
    """Which part, and which piece of it; without x and y the whole."""

    part: str = Field(
        max_length=512,
        description="The part, as `evidence` or `odd_parts` names it.",
        examples=["train/good/017"],
    )
    x: float | None = Field(
        None,
        ge=0,
        le=1,
        description="Middle of the square, as in `evidence.place`: share of the width, from the left.",
        examples=[0.41],
    )
    y: float | None = Field(
        None,
        ge=0,
        le=1,
        description="Middle of the square: share of the height, from the top.",
        examples=[0.63],
    )
    side: float = Field(
        0.25,
        gt=0.01,
        le=1,
        description="Side of the square, as a share of the part's square.",
        examples=[0.25],
    )


router = APIRouter(tags=["versions"])


@router.get(
    "/v1/products/{product}/versions/{version}/good-part",
    responses={200: {"content": {_JPEG: {"schema": {"type": "string", "format": "binary"}}}}}
    | Problems.of(404, 409, 422),
    response_class=Response,
)
async def show_good_part(
    product: ProductName, version: VersionName, services: Services, query: Annotated[GoodPartQuery, Query()]
) -> Response:
    """A picture of a good part that a version was built from: the whole prepared part, or a square of it."""
    picture = await on_disk(lambda: _picture(services.store, product, version, query))
    return Response(picture, media_type=_JPEG, headers={"Cache-Control": "private, max-age=86400"})


def _picture(store: BankStore, product: str, version: str, query: GoodPartQuery) -> bytes:
    try:
        folder = store.path(product, version) / PARTS
    except BankNotFound as error:
        raise Refusal(404, "unknown_version", str(error)) from None
    try:
        picture = picture_of(folder / "train", query.part) or picture_of(folder / "validation", query.part)
    except FileNotFoundError:
        detail = f"Version {version} did not keep its parts, so there are no pictures of them."
        raise Refusal(409, "parts_not_kept", detail) from None
    except (SafetensorError, LookupError, TypeError, ValueError):
        raise _damaged(version) from None
    if picture is None:
        raise Refusal(404, "unknown_part", "That version was built from no such part.")
    if query.x is None or query.y is None:
        return picture
    try:
        return _piece(picture, query.x, query.y, query.side)
    except (OSError, Image.DecompressionBombError):
        raise _damaged(version) from None


def _damaged(version: str) -> Refusal:
    detail = f"The kept parts of version {version} are damaged. 'tribank banks verify' names the files."
    return Refusal(409, "bank_damaged", detail)


def _piece(picture: bytes, x: float, y: float, share: float) -> bytes:
    """A square of the picture around x, y, moved where it would leave it. Raises OSError for no picture."""
    with Image.open(io.BytesIO(picture), formats=("JPEG",)) as whole:
        side = max(8, round(share * whole.width))
        left, top = (
            min(max(0, round(at * size - side / 2)), size - side)
            for at, size in ((x, whole.width), (y, whole.height))
        )
        file = io.BytesIO()
        whole.crop((left, top, left + side, top + side)).save(file, "JPEG", quality=90)
    return file.getvalue()
