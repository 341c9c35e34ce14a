"""The forms in which a result is answered, by media type. Heavy: rendering runs in the encode pool."""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

import numpy as np

from banks.decision.colour_scale import color_table
from service.answers.pictures import cloud_ply, grey_levels, grey_png, map_npy, map_tiff, overlay_png
from service.answers.scan import Scan
from service.answers.schemas import CoverageAnswer, EvidenceAnswer, PixelPoint, RegionAnswer, ScoreAnswer
from service.refusals import Refusal

JSON = "application/json"
PNG = "image/png"
GREY = "image/png;depth=16"
MIXED = "multipart/mixed"
NPZ = "application/x-npz"


@dataclass(frozen=True, slots=True)
class Rendered:
    """An answer's body, its media type, and headers of its own."""

    body: bytes
    media_type: str
    headers: Mapping[str, str] = field(default_factory=dict)


def render_json(scan: Scan) -> bytes:
    """The result as JSON."""
    result, detector = scan.scored.result, scan.scored.detector
    usual, image_scale = detector.coverage, scan.sample.image_scale
    answer = ScoreAnswer(
        part_id=scan.part_id,
        labels=dict(scan.labels),
        result_id=scan.result_id,
        product=detector.product,
        bank_version=detector.version,
        creation_time=scan.created,
        score=result.score,
        relative_score=result.relative_score,
        threshold=result.threshold,
        threshold_source=result.threshold_source,
        decision=result.decision,
        banks=dict(result.bank_scores),
        contributions=dict(result.contributions),
        place=None if result.place is None else PixelPoint.model_validate(result.place),
        evidence={bank: EvidenceAnswer.of(evidence) for bank, evidence in result.evidence.items()},
        regions=[RegionAnswer.of(region) for region in result.regions],
        coverage=None if usual is None else CoverageAnswer.of(usual, result.prepared),
        valid_point_share=round(scan.valid_point_share, 4),
        xyz_unit=scan.sample.xyz_unit,
        image_scale=None if image_scale is None else PixelPoint.model_validate(image_scale),
        plane_found=result.prepared.plane_found,
        timings_ms={stage: round(ms, 2) for stage, ms in scan.timings_ms.items()},
    )
    return answer.model_dump_json().encode()


def _overlay(scan: Scan) -> bytes:
    return overlay_png(scan.sample, scan.source_map(), scan.scale)


def _grey(scan: Scan) -> Rendered:
    step, offset = grey_levels(scan.scale)
    headers = {"Tribank-Map-Scale": repr(step), "Tribank-Map-Offset": repr(offset)}
    return Rendered(grey_png(scan.source_map(), scan.scale), PNG, headers)


def _npz(scan: Scan) -> bytes:
    """All that a page shows of a part, as it was scored, uncompressed: the prepared `rgb`, `xyz` and `valid`,
    `map` and `<bank>_map`, the fixed `scale` (low, high, outline), its 256 `colors`, `result`: the JSON."""
    result = scan.scored.result
    arrays = {
        "rgb": result.prepared.rgb,
        "xyz": result.prepared.xyz,
        "valid": result.prepared.valid,
        "map": result.map,
        **{f"{bank}_map": one for bank, one in result.bank_maps.items()},
        "scale": np.array([scan.scale.low, scan.scale.high, scan.scale.outline]),
        "colors": color_table(),
        "result": np.frombuffer(render_json(scan), np.uint8),
    }
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **arrays)
    return file.getvalue()


def _mixed(scan: Scan) -> Rendered:
    """The JSON and the overlay (RFC 2046, section 5.1.3). The boundary is the result's id: 32 hexadecimal
    digits that no picture holds after a line end and two hyphens but by a chance of 1 in 2^128."""
    boundary = scan.result_id
    parts = ((JSON, render_json(scan)), (PNG, _overlay(scan)))
    pieces = [
        f"--{boundary}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
        for kind, body in parts
    ]
    body = b"\r\n".join([*pieces, f"--{boundary}--\r\n".encode()])
    return Rendered(body, f"{MIXED}; boundary={boundary}")


Renderer = Callable[[Scan], Rendered]
RENDERERS: Mapping[str, Renderer] = {
    JSON: lambda scan: Rendered(render_json(scan), JSON),
    PNG: lambda scan: Rendered(_overlay(scan), PNG),
    GREY: _grey,
    "image/tiff": lambda scan: Rendered(map_tiff(scan.source_map()), "image/tiff"),
    "application/x-npy": lambda scan: Rendered(map_npy(scan.source_map()), "application/x-npy"),
    NPZ: lambda scan: Rendered(_npz(scan), NPZ),
    "application/ply": lambda scan: Rendered(
        cloud_ply(scan.sample, scan.source_map(), scan.scale), "application/ply"
    ),
    MIXED: _mixed,
}
"""By what an Accept header may name. Of two that it likes as much, the first is answered."""


def negotiate(accept: str | None, offers: Collection[str] = RENDERERS.keys()) -> str:
    """The best of the offered media types that the Accept header allows, the first when it is indifferent.
    Raises Refusal."""
    if not accept or not accept.strip():
        return next(iter(offers))
    ranges = dict(_media_range(entry) for entry in accept[:2048].split(","))
    weights = {offered: _weight(offered, ranges) for offered in offers}
    best = max(weights, key=lambda offered: weights[offered])
    if weights[best] <= 0:
        raise Refusal(406, "not_acceptable", f"Answers come as {', '.join(offers)}. Accept one of them.")
    return best


def scan_headers(scan: Scan) -> dict[str, str]:
    """What an answer without fields of its own (a picture, a map, a cloud) must still say."""
    result = scan.scored.result
    told = result_headers(
        scan.result_id, scan.scored.detector.version, result.score, result.threshold, decision=result.decision
    )
    return told | {"Tribank-Scale": f"{scan.scale.low!r} {scan.scale.high!r}"}


def result_headers(
    result_id: str, version: str, score: float, threshold: float, *, decision: str
) -> dict[str, str]:
    """What every answer says of a result, also one from the record."""
    return {
        "Tribank-Result-Id": result_id,
        "Tribank-Bank-Version": version,
        "Tribank-Score": repr(float(score)),
        "Tribank-Threshold": repr(float(threshold)),
        "Tribank-Decision": decision,
        "Vary": "Accept",
    }


def server_timing(timings_ms: Mapping[str, float]) -> str:
    """The Server-Timing header of these stages."""
    return ", ".join(f"{stage};dur={ms:.2f}" for stage, ms in timings_ms.items())


def _media_range(entry: str) -> tuple[str, float]:
    """A range with its parameters before q, and its quality."""
    name, *options = (piece.strip().lower() for piece in entry.split(";"))
    for option in options:
        key, _, value = option.partition("=")
        if key.strip() == "charset":
            continue  # many clients name one; every text of an answer is UTF-8
        if key.strip() == "q":
            try:
                quality = float(value)
            except ValueError:
                quality = 0.0
            return name, quality if 0.0 <= quality <= 1.0 else 0.0
        name = f"{name};{option}"
    return name, 1.0


def _weight(offered: str, ranges: Mapping[str, float]) -> float:
    """The quality of the most specific range that takes this type."""
    bare = offered.partition(";")[0]
    group = bare.partition("/")[0] + "/*"
    return next((ranges[name] for name in (offered, bare, group, "*/*") if name in ranges), 0.0)
