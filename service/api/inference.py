"""/v2: the Open Inference Protocol, so that clients of other inference servers score parts here unchanged.

A model is a product; its version is the bank version that is active. Parts take the one path of /v1.
"""

from __future__ import annotations

from importlib.metadata import version as version_of
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from service.answers.renderers import JSON
from service.answers.tensors import (
    BINARY,
    HEAD_LENGTH,
    INFLATERS,
    INPUTS,
    OUTPUTS,
    InferAnswer,
    Inference,
    InferRequest,
    inflated,
    read_inference,
    render_inference,
)
from service.api.names import ActiveVersion, ProductName
from service.api.part_exchange import PartExchange
from service.api.products import not_ready
from service.api.score import ScoreOptions
from service.api.services import Services, SharedObjects
from service.engine.labels import labels_of
from service.http.bodies import component
from service.http.deadline import Clock
from service.http.headers import OF_RESULTS, described
from service.http.problems import V2Error
from service.http.uploads import check_length, receive_bytes
from service.inspection import Ask
from service.refusals import NotActive, Refusal
from service.threads import on_pool

MODEL = "/v2/models/{product}"
VERSION = MODEL + "/versions/{version}"
_MEDIA_TYPES = ("", JSON, BINARY)
_SHAPES = {"map": [-1, -1]}
"""Of outputs that are more than one value."""


class Live(BaseModel):
    """Whether the process answers."""

    live: Literal[True] = True


class Ready(BaseModel):
    """Whether parts can be scored."""

    ready: Literal[True] = True


class ModelReady(Ready):
    """Whether parts of this product can be scored."""

    name: str = Field(examples=["cookie"])


class ServerMetadata(BaseModel):
    """What this server is."""

    name: str = "tribank"
    version: str = Field(examples=["0.1.0"])
    extensions: list[str] = ["binary_tensor_data"]


class TensorMetadata(BaseModel):
    """Name, datatype and shape of an input or output; -1 stands for any size."""

    name: str = Field(examples=["rgb"])
    datatype: str = Field(examples=["UINT8"])
    shape: list[int] = Field(examples=[[-1, -1, 3]])


class ModelMetadata(BaseModel):
    """A product as a model."""

    name: str = Field(examples=["cookie"])
    versions: list[str] = Field(description="The version that scores now.", examples=[["v3"]])
    platform: str = "tribank"
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]


def _errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """`responses` of a route that refuses with these."""
    return {status: {"model": V2Error} for status in statuses}


router = APIRouter(tags=["inference protocol"])


@router.get("/v2")
async def server_metadata() -> ServerMetadata:
    """Name, version and extensions of the server."""
    return ServerMetadata(version=version_of("tribank"))


@router.get("/v2/health/live")
async def live() -> Live:
    """Whether the process answers."""
    return Live()


@router.get("/v2/health/ready", responses=_errors(503))
async def ready(request: Request, services: Services) -> Ready:
    """Whether parts of at least one product can be scored."""
    if reasons := services.not_ready():
        raise not_ready(request, reasons)
    return Ready()


@router.get(MODEL, responses=_errors(404, 422, 503))
async def model_metadata(product: ProductName, services: Services) -> ModelMetadata:
    """A product's inputs and outputs."""
    return _metadata(services, product, None)


@router.get(VERSION, responses=_errors(404, 422, 503))
async def version_metadata(product: ProductName, version: ActiveVersion, services: Services) -> ModelMetadata:
    """Inputs and outputs, if this version is the active one."""
    return _metadata(services, product, version)


@router.get(MODEL + "/ready", responses=_errors(404, 422, 503))
async def model_ready(product: ProductName, services: Services) -> ModelReady:
    """Parts of this product can be scored."""
    _check(services, product, None)
    return ModelReady(name=product)


@router.get(VERSION + "/ready", responses=_errors(404, 422, 503))
async def version_ready(product: ProductName, version: ActiveVersion, services: Services) -> ModelReady:
    """Parts of this product can be scored, and this version does it."""
    _check(services, product, version)
    return ModelReady(name=product)


_NOT_HERE = ("Idempotency-Replayed", "Tribank-Map-Scale", "Tribank-Map-Offset")
"""Of the headers of results, those that no answer below /v2 has."""
_HEADERS = (HEAD_LENGTH, *(name for name in OF_RESULTS if name not in _NOT_HERE))
_INFER: dict[str, Any] = {
    "response_model": InferAnswer,
    "response_model_exclude_none": True,
    "responses": {
        200: {
            "content": {BINARY: {"schema": {"type": "string", "format": "binary"}}},
            "headers": described(*_HEADERS),
        }
    }
    | _errors(400, 404, 408, 409, 413, 415, 422, 429, 503, 504),
    "openapi_extra": {
        "parameters": [
            {
                "name": HEAD_LENGTH,
                "in": "header",
                "required": False,
                "description": "The bytes of JSON before the tensors' raw bytes. Without it: all is JSON.",
                "schema": {"type": "integer", "minimum": 0},
                "examples": {"bytes": {"value": 312}},
            }
        ],
        "requestBody": {
            "required": True,
            "content": {
                JSON: {"schema": component(InferRequest)},
                BINARY: {
                    "schema": {
                        "type": "string",
                        "format": "binary",
                        "description": f"JSON of {HEAD_LENGTH} bytes, then the raw bytes of the tensors.",
                    }
                },
            },
        },
    },
}


@router.post(MODEL + "/infer", **_INFER)
async def infer(
    product: ProductName, request: Request, services: Services, options: Annotated[ScoreOptions, Query()]
) -> Response:
    """Score one part: the tensors rgb and xyz in; score, threshold, decision, map, relative score or the
    JSON of /v1 out."""
    return await _infer(product, None, request, services, options)


@router.post(VERSION + "/infer", **_INFER)
async def infer_by_version(
    product: ProductName,
    version: ActiveVersion,
    request: Request,
    services: Services,
    options: Annotated[ScoreOptions, Query()],
) -> Response:
    """Score one part, if this version is the active one."""
    return await _infer(product, version, request, services, options)


async def _infer(
    product: str, version: str | None, request: Request, services: SharedObjects, options: ScoreOptions
) -> Response:
    clock = Clock(options.deadline_ms)
    exchange = PartExchange(request, services, clock)
    given = exchange.name(options.part_id)
    labels = labels_of(options.labels)
    _check(services, product, version)
    coding, head_bytes = _checked_head(request, services)
    request.state.record["product"] = product

    def read(body: bytes) -> Inference:
        plain = inflated(body, coding, services.upload_limits.body_bytes) if coding else body
        return read_inference(plain, head_bytes, services.read_limits)

    async with exchange.arriving() as arrival:
        body = await receive_bytes(request, services.upload_limits, arrival)
        async with exchange.admitted(product, arrival):
            inference = await on_pool(services.inspection.decoders, lambda: read(body))
            clock.shorten(inference.timeout_s - clock.spent_ms / 1000)
            part_id = exchange.name(given or inference.asked.id or None)
            ask = Ask(product, part_id, options.threshold, clock, version=version, labels=labels)
            scan = await services.inspection.scan(
                ask, lambda sensor: inference.sample(options.xyz_unit or sensor.xyz_unit)
            )
            return await exchange.answer(scan, lambda scan: render_inference(scan, inference.asked))


def _metadata(services: SharedObjects, product: str, version: str | None) -> ModelMetadata:
    active = _check(services, product, version)
    return ModelMetadata(
        name=product,
        versions=[active] if active else [],
        inputs=[
            TensorMetadata(name=name, datatype=datatype, shape=[-1, -1, 3])
            for name, (datatype, _) in INPUTS.items()
        ],
        outputs=[
            TensorMetadata(name=name, datatype=datatype, shape=_SHAPES.get(name, [1]))
            for name, (datatype, _) in OUTPUTS.items()
        ],
    )


def _check(services: SharedObjects, product: str, version: str | None) -> str | None:
    """The active version's name, None while it is not known. Raises Refusal where it is another."""
    services.engine.check(product)
    served = services.engine.products()[product]
    active = served.detector.version if served.detector else served.wanted
    if version not in (None, active):
        raise NotActive(version)
    return active


def _checked_head(request: Request, services: SharedObjects) -> tuple[str | None, int | None]:
    """The body's content coding and the length of its JSON. Raises Refusal for what the headers forbid."""
    headers = request.headers
    check_length(headers, services.upload_limits.body_bytes, (JSON, BINARY))
    if headers.get("content-type", "").partition(";")[0].strip().lower() not in _MEDIA_TYPES:
        raise Refusal(415, "unsupported_body", f"Send the body as {JSON} or {BINARY}.")
    coding = headers.get("content-encoding", "identity").strip().lower()
    if coding not in ("", "identity", *INFLATERS):
        raise Refusal(415, "unsupported_encoding", f"Content-Encoding may be {' or '.join(INFLATERS)}.")
    length = headers.get(HEAD_LENGTH)
    if length is not None and not (length.isascii() and length.isdigit() and len(length) < 12):
        raise Refusal(400, "invalid_inference", f"{HEAD_LENGTH} must be a number of bytes.")
    return coding if coding in INFLATERS else None, None if length is None else int(length)
