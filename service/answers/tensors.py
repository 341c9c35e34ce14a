"""The Open Inference Protocol's request and answer: JSON, and its binary-tensor extension.

A body is JSON, or JSON whose length a header tells and then the raw bytes of the tensors that say so, in
order and little-endian. Nothing here knows of HTTP but the form of a body.
"""

from __future__ import annotations

import json
import math
import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field, ValidationError

from models.readers.limits import ReadLimits, check_pixels
from models.readers.units import in_metres
from models.sample import BadSample, Sample, make_sample
from recipes.sensor import Unit
from service.answers.renderers import JSON, Rendered, render_json
from service.answers.scan import Scan
from service.refusals import Refusal, from_bad_sample

HEAD_LENGTH = "Inference-Header-Content-Length"
BINARY = "application/octet-stream"
MAX_JSON_BYTES = 16 << 20
"""Parsing JSON keeps other threads waiting; what is larger comes as binary tensors."""
INPUTS: Mapping[str, tuple[str, type[np.generic]]] = {"rgb": ("UINT8", np.uint8), "xyz": ("FP32", np.float32)}
_ENDLESS_US = 2**63
"""A timeout of so many microseconds is none. JSON's numbers may be larger than any float."""
INFLATERS: Mapping[str, int] = {"gzip": 31, "deflate": 15}
"""Content codings of a request, and zlib's word for each."""


class Tensor(BaseModel):
    """One input: its numbers in `data`, or raw bytes after the JSON, as many as `binary_data_size` says."""

    name: str = Field(examples=["rgb"])
    shape: list[int] = Field(description="Height, width, 3.", examples=[[400, 400, 3]])
    datatype: str = Field(examples=["UINT8"])
    parameters: dict[str, Any] = Field(default={}, examples=[{"binary_data_size": 480000}])
    data: list[Any] | None = Field(
        None, description="Flat or nested by rows. In xyz, null is no return.", examples=[None]
    )


class WantedOutput(BaseModel):
    """One output that is asked for. `binary_data` in its parameters: as raw bytes after the JSON."""

    name: str = Field(examples=["score"])
    parameters: dict[str, Any] = Field(default={}, examples=[{"binary_data": False}])


class InferRequest(BaseModel):
    """One part: the tensors rgb and xyz, pixel for pixel."""

    id: str | None = Field(
        None, description="Returned in the answer. Also used as part_id.", examples=["board-000123"]
    )
    parameters: dict[str, Any] = Field(
        default={},
        description="binary_data_output: all outputs as raw bytes. timeout: microseconds until 504.",
        examples=[{"timeout": 20_000_000}],
    )
    inputs: list[Tensor] = Field(max_length=8)
    outputs: list[WantedOutput] = Field(
        default=[],
        max_length=8,
        description="Without any: score, threshold, decision, map. On request: relative_score, and result, "
        "the JSON of /v1 with the regions.",
    )


class OutputTensor(BaseModel):
    """One output."""

    name: str = Field(examples=["score"])
    datatype: str = Field(examples=["FP32"])
    shape: list[int] = Field(examples=[[1]])
    parameters: dict[str, Any] = Field(
        default={}, description="binary_data_size, where the data follows as raw bytes."
    )
    data: list[float | str] | None = Field(
        None, description="The numbers in one flat list, row by row.", examples=[[3.71]]
    )


class InferAnswer(BaseModel):
    """What Tribank says of one part, as tensors."""

    model_name: str = Field(description="The product.", examples=["cookie"])
    model_version: str = Field(description="The bank version that scored the part.", examples=["v3"])
    id: str | None = Field(None, description="As in the request.", examples=["board-000123"])
    parameters: dict[str, str] = Field(description="result_id.")
    outputs: list[OutputTensor]


@dataclass(frozen=True, slots=True)
class Inference:
    """A request as it was understood. asked: its JSON. rgb: (H, W, 3) uint8; xyz: (H, W, 3) float32."""

    asked: InferRequest
    rgb: NDArray[np.generic]
    xyz: NDArray[np.generic]

    def sample(self, unit: Unit | None) -> Sample:
        """The part. unit: of xyz; None means metres. Raises Refusal. Heavy."""
        try:
            return make_sample(
                self.rgb, in_metres(self.xyz.astype(np.float32, copy=False), unit or "m"), unit or "m"
            )
        except BadSample as error:
            raise from_bad_sample(error) from error

    @property
    def timeout_s(self) -> float:
        """How long the client waits, from the request's arrival. Raises Refusal."""
        microseconds = self.asked.parameters.get("timeout", math.inf)
        if (
            isinstance(microseconds, bool)
            or not isinstance(microseconds, int | float)
            or not microseconds > 0
        ):
            raise _invalid("the parameter timeout is a number of microseconds above 0")
        return microseconds / 1e6 if microseconds < _ENDLESS_US else math.inf


def inflated(body: bytes, coding: str, most_bytes: int) -> bytes:
    """The body without its content coding, a key of INFLATERS. Raises Refusal above `most_bytes`. Heavy."""
    inflater = zlib.decompressobj(INFLATERS[coding])
    try:
        plain = inflater.decompress(body, most_bytes)
        if inflater.unconsumed_tail:
            detail = f"The body is larger than {most_bytes} bytes once it is decompressed. Send less at once."
            raise Refusal(413, "body_too_large", detail)
    except zlib.error:
        raise _invalid(f"its content is not {coding}, as Content-Encoding says") from None
    if not inflater.eof or inflater.unused_data:
        raise _invalid(f"its {coding} stream is cut short, or something follows it")
    return plain


def read_inference(body: bytes, head_bytes: int | None, limits: ReadLimits) -> Inference:
    """The request in a plain body. head_bytes: of the JSON, where raw bytes follow it. Heavy.

    Raises Refusal.
    """
    head = body if head_bytes is None else body[:head_bytes]
    if head_bytes is not None and head_bytes > len(body):
        raise _invalid(f"{HEAD_LENGTH} is more than the body has")
    if len(head) > MAX_JSON_BYTES:
        detail = f"The JSON is larger than {MAX_JSON_BYTES} bytes. Send the tensors as raw bytes after it."
        raise Refusal(413, "body_too_large", detail)
    try:
        asked = InferRequest.model_validate_json(head)
    except (ValidationError, RecursionError) as error:
        faults = error.errors(include_url=False)[:3] if isinstance(error, ValidationError) else []
        reason = "; ".join(f"{'.'.join(map(str, f['loc'])) or 'body'}: {f['msg']}" for f in faults)
        raise _invalid(reason or "it is nested too deeply") from None
    _check_outputs(asked.outputs)
    return Inference(asked, **_arrays(asked.inputs, memoryview(body)[len(head) :], limits))


def _arrays(tensors: Sequence[Tensor], raw: memoryview, limits: ReadLimits) -> dict[str, NDArray[np.generic]]:
    """The inputs by name; all raw bytes must belong to one."""
    arrays: dict[str, NDArray[np.generic]] = {}
    for tensor in tensors:
        datatype, dtype = INPUTS.get(tensor.name, ("", np.uint8))
        if not datatype or tensor.name in arrays:
            raise _invalid("the inputs are rgb and xyz, each once")
        if tensor.datatype != datatype:
            raise _invalid(f"the input {tensor.name} is of datatype {datatype}")
        if len(tensor.shape) != 3 or tensor.shape[2] != 3 or min(tensor.shape) < 1:
            raise _invalid(f"the shape of {tensor.name} is height, width, 3")
        most = limits.rgb_pixels if tensor.name == "rgb" else limits.xyz_pixels
        try:
            check_pixels(tensor.shape[0], tensor.shape[1], most, limits, f"input {tensor.name}")
        except BadSample as error:
            raise from_bad_sample(error, tensor.name) from error
        if "binary_data_size" in tensor.parameters:
            size = math.prod(tensor.shape) * np.dtype(dtype).itemsize
            if tensor.data is not None or tensor.parameters["binary_data_size"] != size or size > len(raw):
                raise _invalid(f"{tensor.name} needs {size} bytes after the JSON, and no data in it")
            flat, raw = np.frombuffer(raw[:size], np.dtype(dtype).newbyteorder("<")), raw[size:]
        else:
            flat = _numbers(tensor, dtype)
        arrays[tensor.name] = flat.astype(dtype, copy=False).reshape(tensor.shape)
    if missing := INPUTS.keys() - arrays:
        raise Refusal(422, "missing_field", f"The input {min(missing)} is missing.", part=min(missing))
    if len(raw):
        raise _invalid("more bytes follow the JSON than its inputs name")
    return arrays


def _numbers(tensor: Tensor, dtype: type[np.generic]) -> NDArray[np.float64]:
    """The numbers of `data`, checked against shape and datatype."""
    try:
        # With its dtype given, so that text among the numbers never sizes an array.
        flat = np.array(tensor.data, np.float64).reshape(-1)
    except (TypeError, ValueError, OverflowError):
        raise _invalid(f"the data of {tensor.name} is a list of numbers, flat or by rows") from None
    if flat.size != math.prod(tensor.shape):
        raise _invalid(f"the data of {tensor.name} has {flat.size} numbers, other than its shape says")
    if dtype is np.uint8 and not ((flat >= 0) & (flat <= 255) & (flat == np.floor(flat))).all():
        raise _invalid(f"the data of {tensor.name} is whole numbers from 0 to 255")
    return np.where(np.abs(flat) < np.finfo(np.float32).max, flat, np.nan)  # as "no return", not infinity


def _check_outputs(wanted: Sequence[WantedOutput]) -> None:
    names = [output.name for output in wanted]
    if set(names) - OUTPUTS.keys() or len(set(names)) < len(names):
        raise _invalid(f"the outputs are {', '.join(OUTPUTS)}, each once")
    if any("classification" in output.parameters for output in wanted):
        raise _invalid("no output is a classification; ask for decision")


def _text(text: str) -> NDArray[np.str_]:
    return np.array([text])


OUTPUTS: Mapping[str, tuple[str, Callable[[Scan], NDArray[Any]]]] = {
    "score": ("FP32", lambda scan: np.array([scan.scored.result.score], "<f4")),
    "threshold": ("FP32", lambda scan: np.array([scan.scored.result.threshold], "<f4")),
    "decision": ("BYTES", lambda scan: _text(scan.scored.result.decision)),
    "map": ("FP32", lambda scan: np.ascontiguousarray(scan.source_map(), "<f4")),
    "relative_score": ("FP32", lambda scan: np.array([scan.scored.result.relative_score], "<f4")),
    "result": ("BYTES", lambda scan: _text(render_json(scan).decode())),
}
"""Datatype and content of each output. map: (H, W), of the source's size. result: the JSON of /v1, with the
regions, the banks' scores and the evidence."""
BY_DEFAULT = ("score", "threshold", "decision", "map")
"""The outputs of a request that names none."""


def render_inference(scan: Scan, asked: InferRequest) -> Rendered:
    """The answer to a request. Heavy."""
    all_binary = bool(asked.parameters.get("binary_data_output", False))
    entries: list[str] = []
    raw: list[bytes] = []
    for output in asked.outputs or [WantedOutput(name=name) for name in BY_DEFAULT]:
        datatype, content = OUTPUTS[output.name]
        array = content(scan)
        entry = {"name": output.name, "datatype": datatype, "shape": list(array.shape)}
        if output.parameters.get("binary_data", all_binary):
            raw.append(_bytes(array))
            entries.append(json.dumps(entry | {"parameters": {"binary_data_size": len(raw[-1])}}))
        else:
            entries.append(f'{json.dumps(entry)[:-1]}, "data": [{_listed(array)}]}}')
    detector = scan.scored.detector
    facts: dict[str, Any] = {"model_name": detector.product, "model_version": detector.version}
    if asked.id is not None:
        facts["id"] = asked.id
    facts["parameters"] = {"result_id": scan.result_id}
    head = f'{json.dumps(facts)[:-1]}, "outputs": [{", ".join(entries)}]}}'.encode()
    if not raw:
        return Rendered(head, JSON)
    return Rendered(b"".join([head, *raw]), BINARY, {HEAD_LENGTH: str(len(head))})


def _bytes(array: NDArray[Any]) -> bytes:
    """Raw form: little-endian numbers; of a text its length in 4 bytes, then its UTF-8."""
    if array.dtype.kind != "U":
        return array.tobytes()
    texts = [text.encode() for text in array.tolist()]
    return b"".join(struct.pack("<I", len(text)) + text for text in texts)


def _listed(array: NDArray[Any]) -> str:
    """The elements as JSON. Row by row: one call for a whole map would keep other threads waiting."""
    return ", ".join(json.dumps(row.tolist())[1:-1] for row in np.atleast_2d(array))


def _invalid(reason: str) -> Refusal:
    return Refusal(400, "invalid_inference", f"The request cannot be used: {reason}.")
