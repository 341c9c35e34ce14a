"""The forms in which a result is answered, by media type. Heavy: rendering runs in the encode pool."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from banks.colour_scale import Scale
from banks.regions import Region
from models.sample import Sample
from service.engine import Scored
from service.pictures import cloud_ply, map_npy, overlay_png
from service.problems import Refusal
from service.schemas import RegionAnswer, ScoreAnswer

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Scan:
    """One scored part as the renderers see it."""

    sample: Sample
    scored: Scored
    part_id: str | None
    result_id: str
    timings_ms: Mapping[str, float]

    @property
    def scale(self) -> Scale:
        """The bank version's fixed colour scale."""
        calibration = self.scored.detector.manifest.calibration
        low, high = calibration.colours
        return Scale(low, high, calibration.pixel_threshold)

    def source_map(self) -> NDArray[np.float32]:
        """(H, W) float32: the score map at the source's size."""
        return self.scored.result.prepared.frame.to_source(self.scored.result.map)


def render_json(scan: Scan) -> bytes:
    """The result as JSON."""
    result, detector = scan.scored.result, scan.scored.detector
    regions: list[Region] = list(result.regions)
    answer = ScoreAnswer(
        part_id=scan.part_id,
        result_id=scan.result_id,
        product=detector.product,
        bank_version=detector.version,
        creation_time=datetime.now(UTC),
        score=result.score,
        threshold=result.threshold,
        decision=result.decision,
        banks=dict(result.bank_scores),
        regions=[RegionAnswer.of(region) for region in regions],
        timings_ms={stage: round(ms, 2) for stage, ms in scan.timings_ms.items()},
    )
    return answer.model_dump_json().encode()


RENDERERS: Mapping[str, Callable[[Scan], bytes]] = {
    JSON: render_json,
    "image/png": lambda scan: overlay_png(scan.sample, scan.source_map(), scan.scale),
    "application/x-npy": lambda scan: map_npy(scan.source_map()),
    "application/ply": lambda scan: cloud_ply(scan.sample, scan.source_map(), scan.scale),
}


def negotiate(accept: str | None) -> str:
    """The media type to answer in: the best that the Accept header allows, JSON when it is indifferent."""
    if not accept or not accept.strip():
        return JSON
    ranges = [_media_range(entry) for entry in accept[:2048].split(",")]
    weights = {offered: _weight(offered, ranges) for offered in RENDERERS}
    best = max(weights, key=lambda offered: weights[offered])
    if weights[best] <= 0:
        raise Refusal(406, "not_acceptable", f"Answers come as {', '.join(RENDERERS)}. Accept one of them.")
    return best


def result_headers(scan: Scan) -> dict[str, str]:
    """What an answer without fields of its own (a picture, a map, a cloud) must still say."""
    result, detector = scan.scored.result, scan.scored.detector
    return {
        "Tribank-Result-Id": scan.result_id,
        "Tribank-Bank-Version": detector.version,
        "Tribank-Score": repr(float(result.score)),
        "Tribank-Threshold": repr(float(result.threshold)),
        "Tribank-Decision": result.decision,
        "Tribank-Scale": f"{scan.scale.low!r} {scan.scale.high!r}",
        "Vary": "Accept",
    }


def _media_range(entry: str) -> tuple[str, float]:
    name, *options = (piece.strip().lower() for piece in entry.split(";"))
    for option in options:
        key, _, value = option.partition("=")
        if key.strip() == "q":
            try:
                quality = float(value)
            except ValueError:
                quality = 0.0
            return name, quality if 0.0 <= quality <= 1.0 else 0.0
    return name, 1.0


def _weight(offered: str, ranges: list[tuple[str, float]]) -> float:
    """The quality of the most specific range that takes this type."""
    quality = dict(ranges)
    group = offered.partition("/")[0] + "/*"
    return next((quality[name] for name in (offered, group, "*/*") if name in quality), 0.0)
