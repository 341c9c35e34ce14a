"""The application: its routes, its middleware, and the objects that they share."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import cache, partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from fastapi import Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from structlog.typing import FilteringBoundLogger

from banks.versions.store import BankStore
from models.readers import ReadLimits
from service.api import audit as audit_routes
from service.api import calibrations, own_key, products, profiles, result_events, versions
from service.api import good_parts as good_part_routes
from service.api import inference as inference_routes
from service.api import jobs as job_routes
from service.api import metrics as state_metrics
from service.api import results as result_routes
from service.api import score as scoring
from service.api.archives import ArchiveRoutes
from service.api.batches import BatchRoutes
from service.api.builds import BuildRoutes
from service.api.repeats import on_answered
from service.api.servers import ServerRoutes
from service.api.services import SharedObjects
from service.api.zip_upload import ZipLimits
from service.commands import Commands, LocalCommands
from service.console import Page
from service.disk_faults import RecordsError
from service.engine.detectors import Loader, Residency
from service.engine.local_copies import LocalCopies
from service.engine.owner import Engine
from service.engine.scorers import scorers_on
from service.engine.store_loader import StoreLoader
from service.engine.workers import Workers
from service.http.access import Access, check_access
from service.http.arrivals import Arrivals, Pace
from service.http.document import make_document
from service.http.exchange import Guard
from service.http.gate import Gate
from service.http.headers import HEADERS, OF_REQUESTS
from service.http.problems import on_disk_error, on_http_exception, on_refusal, on_validation_error
from service.http.queries import check_request
from service.http.uploads import UploadLimits
from service.inspection import Inspection
from service.jobs.batch import BatchJob
from service.jobs.build import BuildJob
from service.jobs.old_versions import OldVersions
from service.jobs.queue import Jobs
from service.jobs.store import JobStore
from service.records.audit import Audit
from service.records.changes import Changes
from service.records.kept_parts import KeptParts
from service.records.recorder import Records
from service.records.repeats import Answered
from service.records.results import ResultStore
from service.records.retention import keep_pruned
from service.records.state_folder import StateFolder
from service.refusals import Refusal
from service.setting_lists import seconds_by_product, words
from service.settings import (
    DAY_S,
    MIB,
    BadSetting,
    Settings,
    allowed_origins,
    copies_of,
    database_uri,
    pinned_products,
    servers_of,
)
from service.threads import on_disk
from service.watch.logs import make_logger
from service.watch.metrics import Metrics

if TYPE_CHECKING:
    from service.cluster.fleet import Fleet

SUMMARY = "Is this part good? One RGB image and one organised point cloud in; score, decision, heatmap out."


def create_app(
    settings: Settings,
    *,
    loader: Loader | None = None,
    logger: FilteringBoundLogger | None = None,
    lines_lost: Callable[[], int] = lambda: 0,
) -> FastAPI:
    """Make the application for these settings.

    loader: loads the detectors; by default from the banks on disk.
    lines_lost: returns how many log lines could not be written so far.

    Raises BadKeys if other computers can reach the server and the server has no key.
    """
    check_access(settings)
    logger = logger or make_logger(sys.stderr)
    shared = _make_shared(settings, loader, logger)
    shared.metrics.registry.register(state_metrics.StateMetrics(shared, settings, lines_lost))
    app = FastAPI(
        title="Tribank",
        summary=SUMMARY,
        version=version("tribank"),
        docs_url=None,  # FastAPI's page loads scripts from another host
        redoc_url=None,
        redirect_slashes=False,
        dependencies=[Depends(check_request)],
        generate_unique_id_function=lambda route: route.name,
        lifespan=_lifespan,
    )
    app.state.shared = shared
    app.state.retention = partial(
        keep_pruned,
        (shared.records.prune, shared.jobs.prune),
        keep_s=settings.results_days * DAY_S,
        logger=logger,
    )
    zips = ZipLimits.of(settings)
    batches, builds = BatchRoutes(zips, logger), BuildRoutes(zips, settings.parts_dir)
    shared.jobs.register(BatchJob(shared.inspection, zips.archive, logger))
    changes = Changes(shared.audit, shared.metrics, logger)
    residents = shared.engine.residents
    old_versions = OldVersions(shared.store, residents, changes, logger, keep=settings.keep_versions)
    build = BuildJob(
        settings,
        _commands(settings),
        zips.archive,
        shared.read_limits,
        changes,
        old_versions,
        shared.metrics,
        logger,
    )
    shared.jobs.register(build, at_once=settings.builds_at_once)
    app.include_router(scoring.router)
    app.include_router(batches.router)
    app.include_router(products.router)
    app.include_router(builds.router)
    app.include_router(job_routes.router)
    app.include_router(result_events.router)  # before the route of one result
    app.include_router(result_routes.router)
    app.include_router(versions.router)
    app.include_router(ArchiveRoutes(settings, old_versions, logger).router)
    app.include_router(calibrations.router)
    app.include_router(profiles.router)
    app.include_router(own_key.router)
    app.include_router(ServerRoutes(settings).router)
    app.include_router(audit_routes.router)
    app.include_router(good_part_routes.router)
    app.include_router(inference_routes.router)
    app.include_router(state_metrics.router)
    app.include_router(Page(servers_of(settings).values()).router)
    app.add_exception_handler(Refusal, on_refusal)
    app.add_exception_handler(Answered, on_answered)
    app.add_exception_handler(OSError, on_disk_error)
    app.add_exception_handler(RecordsError, on_disk_error)
    app.add_exception_handler(HTTPException, on_http_exception)
    app.add_exception_handler(RequestValidationError, on_validation_error)
    app.add_middleware(audit_routes.AuditedChanges, changes=changes)
    app.add_middleware(Access, settings=settings)
    if origins := allowed_origins(settings):
        app.add_middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=("GET", "POST", "PUT", "DELETE"),
            allow_headers=OF_REQUESTS,
            expose_headers=tuple(HEADERS),
        )
    spans = None
    if settings.spans_to:
        from service.watch.spans import SentSpans  # OpenTelemetry is an extra

        spans = SentSpans.to(settings.spans_to)
    app.state.spans = spans
    app.add_middleware(Guard, logger=logger, metrics=shared.metrics, spans=spans)
    app.openapi = cache(lambda: make_document(app))
    return app


def _make_shared(settings: Settings, loader: Loader | None, logger: FilteringBoundLogger) -> SharedObjects:
    store = BankStore(settings.banks)
    fleet = _fleet(settings, logger)
    if loader is None:
        places: dict[str, Any] = {"device": settings.device, "weights": settings.weights}
        copies = LocalCopies.of(store, settings.cache, settings.cache_mb, logger)
        if fleet is None:
            loader = StoreLoader(store, copies=copies, **places)
        else:
            from service.cluster.loader import ClusterLoader  # one machine needs none of it

            loader = ClusterLoader(store, fleet, **places)
    residency = Residency(
        budget_bytes=settings.memory_budget_mb * MIB if settings.memory_budget_mb else None,
        device_bytes=settings.device_budget_mb * MIB if settings.device_budget_mb else None,
        lazy=settings.load == "first-use",
        pinned=pinned_products(settings),
        poll_s=settings.poll_s,
    )
    labels = frozenset(words(settings.metric_labels))
    metrics = Metrics(takts_s=seconds_by_product(settings.takts), labels=labels)
    uri = database_uri(settings)
    results = ResultStore(
        settings.state, uri, keep_s=settings.results_days * DAY_S, keep_bytes=settings.results_mb * MIB
    )
    engine = Engine(
        loader,
        queue_size=settings.max_in_flight,
        logger=logger,
        residency=residency,
        stuck_s=max(settings.stuck_s, 2 * settings.deadline_s),
        # A thread of a front only waits for a scorer of the cluster.
        scorers=settings.max_in_flight if fleet else scorers_on(settings.device, settings.scorers),
    )
    records = Records(results, KeptParts(settings.state, settings.kept_parts_mb * MIB), metrics, logger)
    job_store, audit = JobStore(settings.state, uri), Audit(settings.state, uri)
    inspection = Inspection(
        engine=engine,
        records=records,
        metrics=metrics,
        decoders=Workers(settings.decode_workers, "tribank-decode"),
        encoders=Workers(settings.encode_workers, "tribank-encode"),
        loading=Gate(settings.max_in_flight, engine.retry_after_s),
        parts=Gate(settings.max_in_flight, engine.retry_after_s, one_more_each=True),
        read_limits=ReadLimits(
            rgb_bytes=settings.max_rgb_bytes,
            xyz_bytes=settings.max_xyz_bytes,
            rgb_pixels=settings.max_rgb_pixels,
            xyz_pixels=settings.max_xyz_pixels,
        ),
        deadline_s=settings.deadline_s,
    )
    return SharedObjects(
        inspection=inspection,
        store=store,
        arrivals=Arrivals(Pace.of(settings)),
        uploads=Gate.shared(settings.max_uploads, engine.retry_after_s),
        upload_bytes=Gate.shared(
            max(settings.max_upload_bytes, settings.max_body_bytes),
            engine.retry_after_s,
            fewest=settings.max_body_bytes,
        ),
        batches=Gate.shared(settings.max_batches, engine.retry_after_s),
        builds=Gate.shared(settings.max_builds, lambda: 5),
        watchers=Gate.shared(settings.max_watchers, lambda: 5),
        exports=Gate.shared(settings.max_exports, lambda: 5),
        upload_limits=UploadLimits.of(settings),
        stall_s=settings.stall_s,
        jobs=Jobs(
            job_store,
            most_waiting=settings.max_jobs,
            keep_bytes=settings.jobs_mb * MIB,
            metrics=metrics,
            logger=logger,
        ),
        state=StateFolder(settings.state, {"jobs": job_store, "results": records, "audit": audit}, logger),
        audit=audit,
        device=settings.device,
        weights=settings.weights,
        fleet=fleet,
    )


def _fleet(settings: Settings, logger: FilteringBoundLogger) -> Fleet | None:
    """The scorers of the cluster, if there is one. Raises NoCluster."""
    if not settings.cluster:
        return None
    from service.cluster.deployment import RayCalls  # Ray is an extra
    from service.cluster.fleet import Fleet

    return Fleet(
        RayCalls(settings.cluster),
        copies=copies_of(settings),
        patience_s=settings.deadline_s,
        logger=logger,
    )


def _commands(settings: Settings) -> Commands:
    """Where builds run. `_fleet` has joined the cluster, if there is one. Raises BadSetting."""
    if settings.build_on == "server":
        return LocalCommands()
    if not settings.cluster:
        raise BadSetting("TRIBANK_BUILD_ON=nodes needs a cluster: set TRIBANK_CLUSTER.")
    from service.cluster.builds import NodeCommands  # Ray is an extra

    return NodeCommands(settings.build_threads, 0.0 if settings.build_device == "cpu" else 1.0)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    shared: SharedObjects = app.state.shared
    app.openapi()  # made at the start: making the document would delay parts later
    await on_disk(shared.state.open)
    await shared.jobs.start()
    recent: list[str] = []
    with suppress(RecordsError):  # such as a record that cannot be opened
        recent = await on_disk(shared.records.store.recent_products)
    if shared.fleet is not None:
        await asyncio.to_thread(shared.fleet.start)
    shared.engine.start(recent)
    upkeep = [asyncio.create_task(work) for work in (app.state.retention(), shared.state.keep_open())]
    try:
        yield
    finally:
        for task in upkeep:
            task.cancel()
        shared.drain()
        await shared.jobs.stop()
        await asyncio.to_thread(shared.engine.close)
        if shared.fleet is not None:
            await asyncio.to_thread(shared.fleet.close)
        shared.inspection.decoders.shutdown(wait=False, cancel_futures=True)
        shared.inspection.encoders.shutdown(wait=False, cancel_futures=True)
        await on_disk(shared.records.close)
        await on_disk(shared.audit.close)
        shared.state.close()
        if app.state.spans is not None:
            await asyncio.to_thread(app.state.spans.close)
