"""GET /metrics; and what is not counted but looked up when it is asked for: queues, banks, memory, drift."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

from fastapi import APIRouter, Request, Response
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from service.api.services import Services, SharedObjects
from service.disk_faults import RecordsError
from service.http.headers import joined
from service.settings import MIB, Settings

_STATES = ("idle", "loading", "serving", "failed")

router = APIRouter(tags=["health"])


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"description": "All series.", "content": {"text/plain": {}}}},
)
async def metrics(request: Request, services: Services) -> Response:
    """Figures for Prometheus, as text."""
    text, media_type = await asyncio.to_thread(services.metrics.text, joined(request.headers, "accept"))
    return Response(text, media_type=media_type)


class StateMetrics(Collector):
    """The state of one server, read at every scrape, so that what is gone leaves no series behind."""

    def __init__(self, shared: SharedObjects, settings: Settings, lines_lost: Callable[[], int]) -> None:
        """lines_lost: how many log lines could not be written so far."""
        self._services = shared
        self._settings = settings
        self._lines_lost = lines_lost

    def collect(self) -> Iterator[Metric]:
        """All families."""
        engine = self._services.engine
        yield InfoMetricFamily("tribank_build", "This Tribank.", {"version": version("tribank")})
        yield CounterMetricFamily(
            "tribank_log_lines_lost", "Log lines that could not be written.", self._lines_lost()
        )
        yield _one("ready", "1 while /readyz says 200.", float(not self._services.not_ready()))
        yield _one("queue_parts", "Parts that wait for their turn, or their bank.", engine.waiting)
        yield _one("queue_limit", "More parts than this do not wait.", engine.queue_size)
        services = self._services
        gates = {
            "uploads": services.uploads,
            "loading": services.inspection.loading,
            "parts": services.parts,
            "batches": services.batches,
            "builds": services.builds,
            "watchers": services.watchers,
            "exports": services.exports,
        }
        yield _by("gate", "gate_inside", "Requests in a stage.", {n: g.inside for n, g in gates.items()})
        yield _by("gate", "gate_limit", "Above it 429.", {n: g.limit for n, g in gates.items()})
        held = {"held": self._services.upload_bytes.inside, "limit": self._services.upload_bytes.limit}
        yield _by("kind", "upload_bytes", "Bodies in memory; above the limit 429.", held)
        with suppress(RecordsError):
            yield _one("jobs_unfinished", "Jobs that wait or run.", self._services.jobs.store.unfinished())
        state = self._services.state
        available = {name: float(not reason) for name, reason in state.reasons.items()}
        yield _by("kept", "state_available", "1 while it can be read and written.", available)
        yield _by("kept", "state_damaged_files", "Put aside since the start.", state.damaged())
        yield from self._products()
        yield from self._scorers()
        yield from self._memory()
        yield from self._disk()

    def _products(self) -> Iterator[GaugeMetricFamily]:
        residents = self._services.engine.residents
        served = residents.products()
        states = [product.state for product in served.values()]
        yield _by("state", "products", "Products.", {state: states.count(state) for state in _STATES})
        sizes = residents.sizes()
        yield _by("product", "resident_bytes", "The product's banks in memory, on the host.", sizes)
        networks = {"all": residents.memory_bytes() - sum(sizes.values())}
        yield _by(
            "products", "networks_bytes", "Networks in memory, on the host; products share them.", networks
        )
        degraded = {name: float(product.degraded) for name, product in served.items()}
        yield _by("product", "product_degraded", "1: not the active version is in use.", degraded)
        budget = self._settings.memory_budget_mb
        bound = {} if budget is None else {"all": budget * MIB}
        yield _by("products", "memory_budget_bytes", "Most that those may take together.", bound)
        detectors = {name: product.detector for name, product in served.items()}
        here = {name: detector for name, detector in detectors.items() if detector is not None}
        created = GaugeMetricFamily(
            "tribank_bank_created_timestamp_seconds",
            "When the version in use was built.",
            labels=("product", "bank_version"),
        )
        for name, detector in here.items():
            created.add_metric((name, detector.version), detector.manifest.created.timestamp())
        yield created
        thresholds = {n: d.calibration.relative(d.calibration.threshold) for n, d in here.items()}
        yield _by("product", "threshold", "The threshold in force; 1 is calibration's own.", thresholds)
        held_out = {name: detector.calibration.count for name, detector in here.items()}
        yield _by("product", "calibration_parts", "Held-out good parts behind the threshold.", held_out)
        told_of = {name: self._services.metrics.drift(detector) for name, detector in here.items()}
        drifts = {name: drift for name, drift in told_of.items() if drift is not None}
        distance = {name: drift.distance for name, drift in drifts.items()}
        told = "Kolmogorov-Smirnov distance, good parts of late to the held-out ones."
        yield _by("product", "score_drift", told, distance)
        p_values = {name: drift.p_value for name, drift in drifts.items()}
        yield _by("product", "score_drift_p_value", "Of that distance, for independent parts.", p_values)
        parts = {name: drift.parts for name, drift in drifts.items()}
        yield _by("product", "score_drift_parts", "Good parts of late that were compared.", parts)

    def _scorers(self) -> Iterator[GaugeMetricFamily]:
        fleet = self._services.fleet
        scorers = {} if fleet is None else {scorer.name: scorer for scorer in fleet.scorers()}
        up = {name: float(scorer.up) for name, scorer in scorers.items()}
        yield _by("scorer", "scorer_up", "1 while the cluster's scorer answers.", up)
        parts = {name: float(scorer.in_work) for name, scorer in scorers.items()}
        yield _by("scorer", "scorer_parts", "Parts of this server at the cluster's scorer.", parts)
        taken = {name: float(scorer.facts.get("memory_bytes", 0)) for name, scorer in scorers.items()}
        yield _by("scorer", "scorer_memory_bytes", "Banks and networks of the cluster's scorer.", taken)

    def _memory(self) -> Iterator[GaugeMetricFamily]:
        kinds: dict[str, float] = {}
        if self._settings.device == "cuda":
            import torch

            free, total = torch.cuda.mem_get_info()
            kinds = {"free": free, "total": total, "reserved": torch.cuda.memory_reserved()}
        yield _by("kind", "device_memory_bytes", "Of the GPU; reserved: by this process's torch.", kinds)

    def _disk(self) -> Iterator[GaugeMetricFamily]:
        free = {"banks": _free(self._settings.banks), "state": _free(self._settings.state)}
        here = {name: value for name, value in free.items() if value is not None}
        yield _by("folder", "disk_free_bytes", "On the folder's file system.", here)


def _free(folder: Path) -> int | None:
    try:
        found = os.statvfs(folder)
    except OSError:
        return None
    return found.f_bavail * found.f_frsize


def _one(name: str, told: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"tribank_{name}", told, value=value)


def _by(label: str, name: str, told: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"tribank_{name}", told, labels=(label,))
    for key, value in values.items():
        family.add_metric((key,), value)
    return family
