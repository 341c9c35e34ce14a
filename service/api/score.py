"""POST /v1/products/{product}/score: one part in, one result out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from recipes.sensor import Unit
from service.answers.renderers import JSON, RENDERERS, negotiate
from service.answers.scan import Once
from service.answers.schemas import ScoreAnswer
from service.api.names import ProductName
from service.api.part_exchange import PartExchange
from service.api.repeats import IdempotencyKey, scoped_key
from service.api.services import Problems, Services, SharedObjects
from service.engine.decoding import MAX_PART_ID, add_word, check_fields, decode, part_id_of
from service.engine.labels import EXAMPLE, MOST_TEXT, labels_of
from service.http.bodies import named_schema
from service.http.deadline import Clock
from service.http.headers import OF_RESULTS, described, joined
from service.http.queries import QueryModel, refuse_key
from service.http.uploads import FORM, RAW, receive_fields
from service.inspection import Ask
from service.records.repeats import digest_of
from service.threads import on_pool

_BINARY = {"schema": {"type": "string", "format": "binary"}}
_FILE = {"type": "string", "format": "binary"}
_RAW = _FILE | {"description": "The NPZ sample alone: the fast path. Its part_id is in the query."}
_DECLARED = (
    ("xyz_unit", "Unit of the coordinates and of all lengths below: m, mm, um or inch.", "mm"),
    ("x_pitch", "Distance of neighbouring columns of a height map.", "0.05"),
    ("y_pitch", "Distance of neighbouring rows of a height map.", "0.05"),
    ("z_scale", "z of a height map is stored value * z_scale + z_offset.", "0.001"),
    ("z_offset", "See z_scale.", "-20"),
    ("invalid", "The stored z, height or depth that means no return, beside NaN and 0, 0, 0.", "-32768"),
    ("image_bits", "Bits of a 16-bit image that hold a number: 8 to 16.", "12"),
    (
        "registration",
        "pixels: image and cloud have the same size. scaled: they show the same field of view.",
        "scaled",
    ),
)
"""What a form may declare about its files: name, description, example."""
_FORM = {
    "type": "object",
    "description": "One part as a form. part_id may be a field too; in a query it is described once.",
    "properties": {
        "rgb": _FILE | {"description": "Image: PNG, JPEG, TIFF or BMP."},
        "xyz": _FILE
        | {
            "description": "Organised cloud: TIFF, PLY, PCD or NPY. Alone if coloured. Or a height map with "
            "x_pitch and y_pitch: TIFF, PNG or NPY with one value per pixel."
        },
        "x": _FILE | {"description": "With y and z, instead of xyz: TIFF or NPY with one value per pixel."},
        "y": _FILE,
        "z": _FILE,
        "depth": _FILE | {"description": "Depth map instead of xyz: 16-bit PNG, TIFF or NPY."},
        "intrinsics": {
            "type": "string",
            "description": "JSON, with depth: fx, fy, cx, cy in pixels (or as RealSense, Open3D, ROS write); "
            "depth_scale in metres a unit, without it 0.001 for whole numbers and 1 for floating point.",
            "examples": ['{"fx": 525, "fy": 525, "cx": 319.5, "cy": 239.5, "depth_scale": 0.001}'],
        },
        "sample": _FILE | {"description": "NPZ with the arrays rgb and xyz, instead of all other files."},
        **{
            name: {"type": "string", "description": description, "examples": [example]}
            for name, description, example in _DECLARED
        },
    },
}


class ScoreOptions(QueryModel):
    """What a request may ask beside the part: its query."""

    part_id: str | None = Field(
        None,
        min_length=1,
        max_length=MAX_PART_ID,
        description="The client's name for the part; a form may have it as the field part_id instead.",
        examples=["board-000123"],
    )
    labels: str | None = Field(
        None,
        max_length=MOST_TEXT,
        description="Up to eight labels of the part, for the record: name:value, separated by commas.",
        examples=[EXAMPLE],
    )
    threshold: float | None = Field(
        None,
        allow_inf_nan=False,
        description="Decide with this threshold, for this request only.",
        examples=[2.5],
    )
    xyz_unit: Unit | None = Field(
        None,
        description="Unit of the part's coordinates; a form may have it as the field xyz_unit instead. "
        "Without it: the unit that the file names, else the product's, else metres.",
        examples=["mm"],
    )
    deadline_ms: int | None = Field(
        None,
        ge=1,
        le=3_600_000,
        description="Most milliseconds from the arrival of the request to its answer. After it the answer is "
        "504, never a late result.",
        examples=[5000],
    )


router = APIRouter()


@router.post(
    "/v1/products/{product}/score",
    response_model=ScoreAnswer,
    responses={
        200: {
            "description": "By the Accept header: JSON, the overlay (image/png), the score map (16-bit grey: "
            "image/png;depth=16, raw: image/tiff or application/x-npy), the cloud (application/ply), "
            "JSON and overlay (multipart/mixed), or all arrays and each bank's map (application/x-npz).",
            "headers": described(*OF_RESULTS),
            "content": {media_type: _BINARY for media_type in RENDERERS if media_type != JSON},
        }
    }
    | Problems.of(400, 404, 406, 408, 409, 413, 415, 422, 429, 503, 504),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {FORM: {"schema": named_schema("PartForm", _FORM)}, RAW: {"schema": _RAW}},
        }
    },
    tags=["scoring"],
)
async def score_part(
    product: ProductName,
    request: Request,
    services: Services,
    options: Annotated[ScoreOptions, Query()],
    key: IdempotencyKey = None,
) -> Response:
    """Score one part: an image and an organised point cloud, pixel for pixel.

    With an Idempotency-Key a part may be sent again. The second answer is the JSON of the first answer, with
    the header `Idempotency-Replayed`, as long as the result is on record.
    """
    clock = Clock(options.deadline_ms)
    exchange = PartExchange(request, services, clock)
    given = exchange.name(options.part_id)
    labels = labels_of(options.labels)
    media_type = negotiate(joined(request.headers, "accept"))
    if media_type != JSON:
        refuse_key(key, "supported only for answers in JSON. Accept application/json, or remove the header.")
    scoped = scoped_key(request, "score", product, key)
    services.engine.check(product)
    request.state.record["product"] = product

    async with exchange.arriving() as arrival:
        fields = await receive_fields(request, services.upload_limits, arrival)
        part_id = exchange.name(part_id_of(fields, given))
        add_word(fields, "xyz_unit", options.xyz_unit)
        check_fields(fields)
        ask = Ask(product, part_id, options.threshold, clock, labels=labels)
        ask = await _asked_once(ask, scoped, fields, services)
        async with exchange.admitted(product, arrival):
            scan = await services.inspection.scan(
                ask, lambda sensor: decode(fields, services.read_limits, sensor)
            )
            return await exchange.answer(scan, RENDERERS[media_type])


async def _asked_once(ask: Ask, key: str | None, fields: Mapping[str, bytes], services: SharedObjects) -> Ask:
    """The same with its key, if it has one. Raises Answered, KeyReused."""
    if key is None:
        return ask
    digest = await on_pool(
        services.inspection.decoders, lambda: digest_of(fields, ask.part_id, ask.threshold, ask.labels)
    )
    once = Once(key, digest)
    await services.records.recall(once)
    return replace(ask, once=once)
