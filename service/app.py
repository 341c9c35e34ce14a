"""The application, and the server that runs it."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import ExitStack, asynccontextmanager, redirect_stderr
from difflib import get_close_matches
from functools import cache, partial
from importlib.metadata import version
from types import FrameType
from typing import Any

import uvicorn
from fastapi import Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from structlog.typing import FilteringBoundLogger

from banks.versions.store import BankStore
from models.readers import ReadLimits
from service import console
from service.api import good_parts as good_part_routes
from service.api import inference as inference_routes
from service.api import jobs as job_routes
from service.api import metrics as state_metrics
from service.api import products, versions
from service.api import results as result_routes
from service.api import score as scoring
from service.api.batches import BatchRoutes
from service.api.builds import BuildRoutes
from service.api.repeats import on_answered
from service.api.services import SharedObjects
from service.api.zip_upload import ZipLimits
from service.engine.detectors import Loader, Residency
from service.engine.owner import Engine
from service.engine.workers import Workers
from service.http.access import Access, check_access
from service.http.arrivals import Arrivals, Pace
from service.http.connections import ACCEPTED_AT_ONCE, AcceptErrors, queue_many, raise_open_files
from service.http.document import make_document
from service.http.exchange import Guard
from service.http.gate import Gate
from service.http.listening import CannotStart, check_banks, open_listeners
from service.http.problems import on_disk_error, on_http_exception, on_refusal, on_validation_error
from service.http.protocol import protocol_for
from service.http.queries import check_request
from service.http.uploads import UploadLimits
from service.inspection import Inspection
from service.jobs.batch import BatchJob
from service.jobs.build import BuildJob
from service.jobs.queue import Jobs
from service.jobs.store import JobStore
from service.records.kept_parts import KeptParts
from service.records.recorder import Records
from service.records.repeats import Answered
from service.records.results import ResultStore
from service.records.retention import keep_pruned
from service.records.state_folder import StateFolder
from service.refusals import Refusal
from service.settings import DAY_S, MIB, Settings, pinned_products, unknown_names
from service.threads import on_disk
from service.watch.log_lines import LogLines
from service.watch.logs import library_logging, make_logger
from service.watch.metrics import Metrics

LAST_WORDS_S = 5
"""How long a server that can score no more still answers."""
SUMMARY = "Is this part good? One RGB image and one organised point cloud in; score, decision, heatmap out."


def create_app(
    settings: Settings,
    *,
    loader: Loader | None = None,
    logger: FilteringBoundLogger | None = None,
    lines_lost: Callable[[], int] = lambda: 0,
) -> FastAPI:
    """The application for these settings. loader: where detectors come from (default: the banks on disk).
    lines_lost: how many log lines could not be written so far.

    Raises BadKeys where others could reach the server and it has no key.
    """
    check_access(settings)
    logger = logger or make_logger(sys.stderr)
    shared = _shared_objects(settings, loader, logger)
    shared.metrics.registry.register(state_metrics.StateMetrics(shared, settings, lines_lost))
    app = FastAPI(
        title="Tribank",
        summary=SUMMARY,
        version=version("tribank"),
        docs_url=None,  # its page loads scripts from another host
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
    shared.jobs.register(BuildJob(settings, zips.archive, shared.read_limits, logger))
    app.include_router(scoring.router)
    app.include_router(batches.router)
    app.include_router(products.router)
    app.include_router(builds.router)
    app.include_router(job_routes.router)
    app.include_router(result_routes.router)
    app.include_router(versions.router)
    app.include_router(good_part_routes.router)
    app.include_router(inference_routes.router)
    app.include_router(state_metrics.router)
    app.include_router(console.router)
    app.add_exception_handler(Refusal, on_refusal)
    app.add_exception_handler(Answered, on_answered)
    app.add_exception_handler(OSError, on_disk_error)
    app.add_exception_handler(sqlite3.DatabaseError, on_disk_error)
    app.add_exception_handler(HTTPException, on_http_exception)
    app.add_exception_handler(RequestValidationError, on_validation_error)
    app.add_middleware(Access, settings=settings)
    app.add_middleware(Guard, logger=logger, metrics=shared.metrics)
    app.openapi = cache(lambda: make_document(app))
    return app


def tell_start(settings: Settings, environment: Iterable[str], logger: FilteringBoundLogger) -> None:
    """Log what starts, and a warning for each name that begins as a setting's and is none, or that is pinned
    and no product."""
    logger.info(
        "service_starts", version=version("tribank"), device=settings.device, banks=str(settings.banks)
    )
    for name, meant in unknown_names(environment).items():
        logger.warning("unknown_setting", name=name, perhaps=meant)
    pinned = pinned_products(settings)
    products = BankStore(settings.banks).products() if pinned else []
    for name in sorted(pinned.difference(products)):
        alike = get_close_matches(name, products, 1)
        logger.warning("unknown_pinned", name=name, perhaps=alike[0] if alike else None)


def run(settings: Settings, *, ready: Callable[[str], None] | None = None) -> bool:
    """Serve until SIGTERM or Ctrl-C; False if it ended because it could score no more. ready: called with the
    address once the port is open.

    Raises CannotStart, StateInUse, BadKeys before anything is loaded, where a person has to mend something.
    """
    check_banks(settings.banks)
    lines = LogLines(os.open(os.devnull, os.O_WRONLY) if sys.stderr is None else sys.stderr.fileno())
    try:
        with redirect_stderr(lines):  # also a library's or a dying thread's words neither raise nor wait
            return _serve(settings, lines, ready)
    finally:
        lines.finish()


def _serve(settings: Settings, lines: LogLines, ready: Callable[[str], None] | None) -> bool:
    logging.captureWarnings(True)
    raise_open_files()
    logger = make_logger(lines)
    app = create_app(settings, logger=logger, lines_lost=lambda: lines.lost)
    with ExitStack() as held:
        held.callback(app.state.shared.state.close)
        _hold(app.state.shared.state, settings)
        listeners = [held.enter_context(one) for one in open_listeners(settings.host, settings.port)]
        tell_start(settings, os.environ, logger)
        config = uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            http=protocol_for(settings),
            ws="none",
            lifespan="on",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            log_config=library_logging(lines),
            timeout_keep_alive=settings.keep_alive_s,
            timeout_graceful_shutdown=round(settings.deadline_s + settings.body_timeout_s),
        )
        server = Server(config, grace_s=settings.drain_grace_s, ready=ready)
        server.run(listeners)
    return not server.failed


def _hold(state: StateFolder, settings: Settings) -> None:
    """Hold the state folder before anything is loaded. Raises StateInUse, CannotStart.

    A folder on a full or read-only disk stops nothing: it is tried again while parts are scored.
    """
    try:
        state.claim()
    except (NotADirectoryError, FileExistsError) as error:
        raise CannotStart(
            f"The state folder {settings.state} cannot be made: {error.filename} is no folder. Choose "
            "another (--state, TRIBANK_STATE)."
        ) from None
    except OSError:
        return


class Server(uvicorn.Server):
    """uvicorn's server that says "not ready" for a while before it stops taking parts, and that ends by
    itself where nothing can be scored any more. failed: whether it did."""

    def __init__(
        self, config: uvicorn.Config, *, grace_s: float = 0.0, ready: Callable[[str], None] | None = None
    ) -> None:
        super().__init__(config)
        config.backlog = ACCEPTED_AT_ONCE  # to asyncio both: the kernel's queue, and how many a turn
        self._grace_s = grace_s
        self._ready = ready
        self._draining = False
        self.failed = False
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: Any = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(AcceptErrors())
        await super().startup(sockets)
        for listener in (one for server in self.servers for one in server.sockets):
            queue_many(listener.fileno())
        if self._ready is not None and self.started:
            self._ready(self.address)

    @property
    def address(self) -> str:
        """Where the server listens, as a URL."""
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """First signal: after the grace finish what is in work, then exit with 0. Further ones wait for
        less."""
        self._tell(SharedObjects.leave)
        if self.should_exit:
            self.force_exit = True
        elif sig == signal.SIGTERM and self._grace_s > 0 and not self._draining and self._loop is not None:
            self._draining = True
            self._loop.call_soon_threadsafe(self._loop.call_later, self._grace_s, self._stop)
        else:
            self._stop()

    async def on_tick(self, counter: int) -> bool:
        """Whether to stop. A process that lives on and cannot score would stand until a person comes."""
        if await super().on_tick(counter):
            return True
        application = self.config.app
        if isinstance(application, FastAPI) and not application.state.shared.alive():
            self.failed = True
            self.config.timeout_graceful_shutdown = LAST_WORDS_S
            self._stop()
        return self.should_exit

    def _stop(self) -> None:
        self._tell(SharedObjects.drain)
        self.should_exit = True

    def _tell(self, what: Callable[[SharedObjects], None]) -> None:
        application = self.config.app
        if isinstance(application, FastAPI):
            what(application.state.shared)


def _shared_objects(settings: Settings, loader: Loader | None, logger: FilteringBoundLogger) -> SharedObjects:
    store = BankStore(settings.banks)
    loader = loader or products.StoreLoader(store, device=settings.device, weights=settings.weights)
    residency = Residency(
        budget_bytes=settings.memory_budget_mb * MIB if settings.memory_budget_mb else None,
        device_bytes=settings.device_budget_mb * MIB if settings.device_budget_mb else None,
        lazy=settings.load == "first-use",
        pinned=pinned_products(settings),
        poll_s=settings.poll_s,
    )
    metrics = Metrics()
    results = ResultStore(
        settings.state, keep_s=settings.results_days * DAY_S, keep_bytes=settings.results_mb * MIB
    )
    engine = Engine(
        loader,
        queue_size=settings.max_in_flight,
        logger=logger,
        residency=residency,
        stuck_s=max(settings.stuck_s, 2 * settings.deadline_s),
    )
    records = Records(results, KeptParts(settings.state, settings.kept_parts_mb * MIB), metrics, logger)
    job_store = JobStore(settings.state)
    inspection = Inspection(
        engine=engine,
        records=records,
        metrics=metrics,
        decoders=Workers(settings.decode_workers, "tribank-decode"),
        encoders=Workers(settings.encode_workers, "tribank-encode"),
        loading=Gate(settings.max_in_flight, engine.retry_after_s),
        parts=Gate(settings.max_in_flight, engine.retry_after_s, one_more_each=True),
        read_limits=ReadLimits(rgb_bytes=settings.max_rgb_bytes, xyz_bytes=settings.max_xyz_bytes),
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
            logger=logger,
        ),
        state=StateFolder(settings.state, {"jobs": job_store, "results": records}, logger),
        device=settings.device,
    )


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    shared: SharedObjects = app.state.shared
    app.openapi()  # now, not while parts are scored: it takes a while
    await on_disk(shared.state.open)
    await shared.jobs.start()
    shared.engine.start()
    watching = [asyncio.create_task(work) for work in (app.state.retention(), shared.state.keep_open())]
    try:
        yield
    finally:
        for task in watching:
            task.cancel()
        shared.drain()
        await shared.jobs.stop()
        await asyncio.to_thread(shared.engine.close)
        shared.inspection.decoders.shutdown(wait=False, cancel_futures=True)
        shared.inspection.encoders.shutdown(wait=False, cancel_futures=True)
        await on_disk(shared.records.close)
        shared.state.close()
