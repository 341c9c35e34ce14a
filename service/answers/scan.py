"""One scored part, as answers and the record see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from banks.decision.colour_scale import Scale
from models.sample import Sample
from service.engine.owner import Scored


@dataclass(frozen=True, slots=True)
class Once:
    """A request that is to have one result, however often it is sent. key: its name; digest: of what it
    asks."""

    key: str
    digest: str


@dataclass(frozen=True, slots=True)
class Scan:
    """One scored part as the renderers see it. sample: with what its sensor declares as no return taken out.
    once: the request that it answers, if that may be sent again.
    created: when the result was made, UTC.
    labels: what the client says of the part, by name.
    job: the id of the batch job that the part belongs to."""

    sample: Sample
    scored: Scored
    part_id: str | None
    result_id: str
    timings_ms: Mapping[str, float]
    once: Once | None = None
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    labels: Mapping[str, str] = field(default_factory=dict)
    job: str | None = None

    @property
    def valid_point_share(self) -> float:
        """Share of the source's pixels that have a point."""
        return np.count_nonzero(self.sample.valid) / self.sample.valid.size

    @property
    def scale(self) -> Scale:
        """The bank version's fixed colour scale."""
        calibration = self.scored.detector.manifest.calibration
        low, high = calibration.colours
        return Scale(low, high, calibration.pixel_threshold)

    def log_fields(self) -> dict[str, Any]:
        """What a log line says of the part."""
        result = self.scored.result
        return {
            "part_id": self.part_id,
            **({"labels": dict(self.labels)} if self.labels else {}),
            "result_id": self.result_id,
            "bank_version": self.scored.detector.version,
            "score": round(result.score, 6),
            "relative_score": round(result.relative_score, 4),
            "threshold": round(result.threshold, 6),
            "threshold_source": result.threshold_source,
            "decision": result.decision,
            "banks": {bank: round(score, 6) for bank, score in result.bank_scores.items()},
            "regions": len(result.regions),
            "valid_point_share": round(self.valid_point_share, 4),
            "plane_found": result.prepared.plane_found,
            "timings_ms": {stage: round(ms, 1) for stage, ms in self.timings_ms.items()},
        }

    def source_map(self) -> NDArray[np.float32]:
        """(H, W) float32: the score map at the source's size."""
        return self.scored.result.prepared.frame.to_source(self.scored.result.map)
