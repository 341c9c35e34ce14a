"""What the service counts, for Prometheus. docs/monitoring.md says what each figure is for.

Labels are bounded: routes, stages and codes are the code's own words, and a product is named only once a part
of it was taken, so nothing that a client makes up becomes a series. There is no histogram of batch sizes on
the device: each part is computed alone, so it would always say 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from datetime import datetime

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import choose_encoder

from banks.decision.drift import Drift, RecentScores
from banks.detector import PartResult
from models.sample import Sample
from service.engine.owner import Scored

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE")
SECONDS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30, 100)
MARGINS = (-1, -0.5, 0, 0.25, 0.5, 0.75, 0.9, 1, 1.1, 1.25, 1.5, 2, 3, 5, 10, 30)
SHARES = (0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1)


class Metrics:
    """The counters of one server, in a registry of its own. For the event loop, but for `text`."""

    def __init__(self) -> None:
        disable_created_metrics()  # a series beside each counter that says when it began; nobody asks for it
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._recent: dict[str, tuple[str, datetime, RecentScores]] = {}
        self._requests = self._counter("requests", "Answers, by route.", "method", "route", "status")
        self._request_seconds = self._histogram(
            "request_seconds", "From a request's head to the answer's end.", SECONDS, "route"
        )
        self._refusals = self._counter("refusals", "Refused requests, by their problem's code.", "code")
        self._parts = self._counter(
            "parts",
            "Scored parts, by the decision of the service's threshold, not a request's own.",
            "product",
            "decision",
        )
        self._part_refusals = self._counter(
            "part_refusals", "Parts that were taken and not scored, by code.", "product", "code"
        )
        self._part_seconds = self._histogram(
            "part_seconds", "From a part's decoding to its result.", SECONDS, "product"
        )
        self._stages = self._histogram("stage_seconds", "Of one part, by stage.", SECONDS, "stage")
        self._scores = self._histogram(
            "part_score",
            "Score: 0 is the median held-out good part, 1 the threshold that calibration found.",
            MARGINS,
            "product",
        )
        self._valid = self._histogram(
            "valid_point_share", "Share of a part's pixels that have a point.", SHARES, "product"
        )
        self._not_kept = self._counter(
            "results_not_kept", "Results that were answered and could not be put on record.", "product"
        )
        self._shadowed = self._counter(
            "shadow_parts",
            "Parts that a shadow scored too, by whether it decides alike.",
            "product",
            "agrees",
        )

    def exchanged(self, *, method: str, route: str, status: int, seconds: float, code: str | None) -> None:
        """A request was answered. code: the problem's, if it was refused."""
        known = method if method in METHODS else "other"
        self._requests.labels(known, route, str(status)).inc()
        self._request_seconds.labels(route).observe(seconds)
        if code is not None:
            self._refusals.labels(code).inc()

    def scored(self, sample: Sample, scored: Scored, timings_ms: Mapping[str, float]) -> None:
        """A part was scored. scored: as the service judges it, before a request's own threshold."""
        result, detector = scored.result, scored.detector
        product = detector.product
        self._not_kept.labels(product)  # a counter that is first seen with its first fault has not increased
        self._parts.labels(product, result.decision).inc()
        self._scores.labels(product).observe(result.relative_score)
        self._valid.labels(product).observe(float(sample.valid.mean()))
        for stage, milliseconds in timings_ms.items():
            if stage == "total":
                self._part_seconds.labels(product).observe(milliseconds / 1000)
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
        """One stage of one part took this long."""
        self._stages.labels(stage).observe(milliseconds / 1000)

    def refused(self, product: str, code: str) -> None:
        """A part of a product that is served was taken and could not be scored."""
        self._part_refusals.labels(product, code).inc()

    def not_kept(self, product: str) -> None:
        """A result could not be put on record. From any thread."""
        self._not_kept.labels(product).inc()

    def drifts(self) -> dict[str, Drift]:
        """Drift of the scores of late, of the products that have enough of them."""
        found = {product: recent.drift() for product, (_, _, recent) in tuple(self._recent.items())}
        return {product: drift for product, drift in found.items() if drift is not None}

    def text(self, accept: str) -> tuple[bytes, str]:
        """All series in the format that a scraper accepts, and its media type. From any thread; blocks."""
        encode, media_type = choose_encoder(accept)
        return encode(self.registry), media_type

    def _compared(self, product: str, decided: str, done: Future[PartResult]) -> None:
        """On the owner thread, or wherever the shadow was given up."""
        if not done.cancelled() and done.exception() is None:
            agrees = done.result().decision == decided
            self._shadowed.labels(product, str(agrees).lower()).inc()

    def _counter(self, name: str, told: str, *labels: str) -> Counter:
        return Counter(f"tribank_{name}", told, labels, registry=self.registry)

    def _histogram(self, name: str, told: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(f"tribank_{name}", told, labels, buckets=buckets, registry=self.registry)
