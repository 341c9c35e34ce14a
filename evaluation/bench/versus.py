"""A version and the published computation, part by part in one process."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from banks.detector import Detector, PartResult
from evaluation.bench.published import Published, PublishedScore
from evaluation.bench.spread import spread

_BEFORE = ("decode", "prepare")
"""What the authors' code does beforehand, and is compared with nothing."""


class Versus:
    """The published computation beside a version.

    Both are compared from the prepared part to the decision. Only the version finds regions and evidence.
    """

    def __init__(self, detector: Detector, weights_dir: Path) -> None:
        """weights_dir: of the networks' weights. Raises NotPublished."""
        self._published = Published(detector, weights_dir)
        self._times: dict[str, dict[str, list[float]]] = {"published": {}, "tribank": {}}
        self._processor_ms: list[float] = []
        self._apart = 0.0

    def warm_up(self, result: PartResult) -> None:
        """Score the part of a result as published, and keep nothing."""
        self._published(result.prepared)

    def score(self, result: PartResult) -> PublishedScore:
        """Score the part of a result as published, and compare both. Returns the published score."""
        start = time.process_time()
        found = self._published(result.prepared)
        self._processor_ms.append(1000 * (time.process_time() - start))
        self._add("published", found.timings_ms)
        self._add("tribank", {name: ms for name, ms in result.timings_ms.items() if name not in _BEFORE})
        ours, theirs = {"": result.score, **result.bank_scores}, {"": found.score, **found.scores}
        apart = [abs(ours[name] - score) / abs(score) for name, score in theirs.items()]
        self._apart = max(self._apart, *apart)
        return found

    def report(self) -> dict[str, Any]:
        """Of all parts so far, as JSON types.

        published_ms, tribank_ms: spread of each stage and of their sum. published_processor_ms: of the sum,
        all threads together. ratio: of the p50s of the sums. largest_score_difference: relative, of any
        bank's image score or of the decision's.
        """
        spreads = {
            side: {stage: spread(of) for stage, of in stages.items()} for side, stages in self._times.items()
        }
        return {
            "published_ms": spreads["published"],
            "tribank_ms": spreads["tribank"],
            "published_processor_ms": spread(self._processor_ms),
            "ratio": spreads["published"]["total"]["p50"] / spreads["tribank"]["total"]["p50"],
            "largest_score_difference": self._apart,
        }

    def _add(self, side: str, milliseconds: Mapping[str, float]) -> None:
        for stage, took in {**milliseconds, "total": sum(milliseconds.values())}.items():
            self._times[side].setdefault(stage, []).append(took)
