"""Counters and histograms for Prometheus. docs/monitoring.md explains every metric.

The values of labels are bounded: routes, stages and codes are fixed, and a product becomes a label only after
one of its parts was accepted. A part's own labels are counted only where the operator declared their names,
and only MOST_VALUES values of each. So a client cannot create series without bound. Batch sizes on the device
are not measured, because each part is computed alone.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from concurrent.futures import Future
from datetime import datetime

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import choose_encoder

from banks.decision.drift import Drift, RecentScores
from banks.detector import PartResult
from models.sample import Sample
from service.engine.detectors import PartDetector
from service.engine.owner import Scored

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE")
SECONDS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30, 100)
MARGINS = (-1, -0.5, 0, 0.25, 0.5, 0.75, 0.9, 1, 1.1, 1.25, 1.5, 2, 3, 5, 10, 30)
MINUTES = (1, 10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 28800)
"""Seconds of jobs."""
MOST_VALUES = 50
"""The most values of one label of one product that are counted apart."""
OTHER = "other"
"""The value of all parts whose label has a further value."""
SHARES = (0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1)


class Metrics:
    """The metrics of one server, in a registry of its own.

    For the event loop only, except for `drift`, `text` and `not_kept`.
    """

    def __init__(self, *, takts_s: Mapping[str, float] | None = None, labels: Collection[str] = ()) -> None:
        """takts_s: the seconds that a part may take, by product. labels: the names of labels by which parts
        are counted."""
        disable_created_metrics()  # removes a series beside each counter with its start time
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._recent: dict[str, tuple[str, datetime, RecentScores]] = {}
        self._takts_s = takts_s or {}
        self._label_names = frozenset(labels)
        self._label_values: dict[tuple[str, str], set[str]] = {}
        self._requests = self._counter(
            "requests", "Answered requests, by route.", "method", "route", "status"
        )
        self._request_seconds = self._histogram(
            "request_seconds", "Time from a request's head to the answer's end.", SECONDS, "route"
        )
        self._refusals = self._counter("refusals", "Refused requests, by code.", "code")
        self._parts = self._counter(
            "parts",
            "Scored parts, by the decision at the version's threshold, not at a request's own threshold.",
            "product",
            "decision",
        )
        self._part_refusals = self._counter(
            "part_refusals", "Parts that were accepted and could not be scored, by code.", "product", "code"
        )
        self._part_seconds = self._histogram(
            "part_seconds", "Time from a part's decoding to its result.", SECONDS, "product"
        )
        takt = Gauge(
            "tribank_takt_seconds", "Seconds that a part may take.", ("product",), registry=self.registry
        )
        self._late_parts = self._counter("late_parts", "Parts that took longer than the takt.", "product")
        for product, seconds in self._takts_s.items():
            takt.labels(product).set(seconds)
            self._late_parts.labels(product)
        self._label_parts = self._counter(
            "label_parts",
            "Scored parts, by a label that is declared in the settings.",
            "product",
            "label",
            "value",
            "decision",
        )
        self._jobs = self._counter("jobs", "Jobs that ran and ended.", "kind", "state")
        self._job_seconds = self._histogram("job_seconds", "Time that a job ran.", MINUTES, "kind")
        self._build_parts = self._counter("build_parts", "Good parts of builds, by their use.", "use")
        self._build_memory = Gauge(
            "tribank_build_peak_bytes", "Most memory that the last build took.", registry=self.registry
        )
        self._stages = self._histogram("stage_seconds", "Time of one part, by stage.", SECONDS, "stage")
        self._scores = self._histogram(
            "part_score",
            "Relative score: 0 is the median held-out good part, 1 is the calibrated threshold.",
            MARGINS,
            "product",
        )
        self._valid = self._histogram(
            "valid_point_share", "Share of a part's pixels that have a point.", SHARES, "product"
        )
        self._not_kept = self._counter(
            "results_not_kept", "Results that were answered and could not be recorded.", "product"
        )
        self._changes_not_recorded = self._counter(
            "changes_not_recorded", "Changes that were made and could not be recorded."
        )
        self._shadowed = self._counter(
            "shadow_parts",
            "Parts that a shadow version scored too, by whether both decisions agree.",
            "product",
            "agrees",
        )

    def exchanged(self, *, method: str, route: str, status: int, seconds: float, code: str | None) -> None:
        """Count an answered request. code: of the refusal; None without a refusal."""
        known = method if method in METHODS else "other"
        self._requests.labels(known, route, str(status)).inc()
        self._request_seconds.labels(route).observe(seconds)
        if code is not None:
            self._refusals.labels(code).inc()

    def expect_jobs(self, kind: str) -> None:
        """Show 0 before the first job of a kind ends, so that the first failure is an increase."""
        for state in ("done", "failed", "cancelled"):
            self._jobs.labels(kind, state)

    def job_ended(self, kind: str, state: str, seconds: float) -> None:
        """Count a job that ended. seconds: how long it ran since its last start."""
        self._jobs.labels(kind, state).inc()
        self._job_seconds.labels(kind).observe(seconds)

    def built(self, parts: Mapping[str, int], peak_bytes: int | None) -> None:
        """Count a build. parts: numbers by their use. peak_bytes: the most memory of the build's process."""
        for use, number in parts.items():
            self._build_parts.labels(use).inc(number)
        if peak_bytes is not None:
            self._build_memory.set(peak_bytes)

    def change_not_recorded(self) -> None:
        """Count a change that is missing in the record of changes."""
        self._changes_not_recorded.inc()

    def scored(
        self, sample: Sample, scored: Scored, timings_ms: Mapping[str, float], labels: Mapping[str, str]
    ) -> None:
        """Count a scored part.

        scored: the result by the version's threshold, not by a request's own.
        labels: what the client says of the part.
        """
        result, detector = scored.result, scored.detector
        product = detector.product
        self._not_kept.labels(
            product
        )  # shows 0 before the first fault, so that the first fault is an increase
        self._parts.labels(product, result.decision).inc()
        for name in self._label_names & labels.keys():
            value = self._counted_value(product, name, labels[name])
            self._label_parts.labels(product, name, value, result.decision).inc()
        self._scores.labels(product).observe(result.relative_score)
        self._valid.labels(product).observe(float(sample.valid.mean()))
        for stage, milliseconds in timings_ms.items():
            if stage == "total":
                self._part_seconds.labels(product).observe(milliseconds / 1000)
                if milliseconds / 1000 > self._takts_s.get(product, math.inf):
                    self._late_parts.labels(product).inc()
            else:
                self.stage(stage, milliseconds)
        version, created = detector.version, detector.manifest.created
        latest = self._recent.get(product)
        if latest is None or latest[:2] != (version, created):
            latest = version, created, RecentScores(detector.manifest.calibration)
            self._recent[product] = latest
        latest[2].add(result.score)
        if scored.shadow is not None:
            decided = scored.shadow.decided
            scored.shadow.result.add_done_callback(lambda done: self._compared(product, decided, done))

    def stage(self, stage: str, milliseconds: float) -> None:
        """Count the time of one stage of one part."""
        self._stages.labels(stage).observe(milliseconds / 1000)

    def refused(self, product: str, code: str) -> None:
        """Count an accepted part that could not be scored."""
        self._part_refusals.labels(product, code).inc()

    def not_kept(self, product: str) -> None:
        """Count a result that could not be recorded. From any thread."""
        self._not_kept.labels(product).inc()

    def drift(self, detector: PartDetector) -> Drift | None:
        """The drift of the recent scores by this version; None with too few of them. From any thread."""
        version, created, recent = self._recent.get(detector.product, (None, None, None))
        if recent is None or (version, created) != (detector.version, detector.manifest.created):
            return None
        return recent.drift()

    def text(self, accept: str) -> tuple[bytes, str]:
        """All series in the format that the scraper accepts, and the media type. From any thread; blocks."""
        encode, media_type = choose_encoder(accept)
        return encode(self.registry), media_type

    def _counted_value(self, product: str, name: str, value: str) -> str:
        """The value under which a label is counted."""
        values = self._label_values.setdefault((product, name), set())
        if len(values) < MOST_VALUES:
            values.add(value)
        return value if value in values else OTHER

    def _compared(self, product: str, decided: str, done: Future[PartResult]) -> None:
        """Count a comparison with the shadow version. Called on the thread that ends the shadow's scoring."""
        if not done.cancelled() and done.exception() is None:
            agrees = done.result().decision == decided
            self._shadowed.labels(product, str(agrees).lower()).inc()

    def _counter(self, name: str, description: str, *labels: str) -> Counter:
        return Counter(f"tribank_{name}", description, labels, registry=self.registry)

    def _histogram(self, name: str, description: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(f"tribank_{name}", description, labels, buckets=buckets, registry=self.registry)
