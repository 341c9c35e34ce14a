"""The server that runs the application: its start, its signals and its end."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterable
from contextlib import ExitStack, redirect_stderr
from difflib import get_close_matches
from importlib.metadata import version
from types import FrameType
from typing import Any

import uvicorn
from fastapi import FastAPI
from structlog.typing import FilteringBoundLogger

from banks.versions.store import BankStore
from service.api.services import SharedObjects
from service.app import create_app
from service.http.connections import ACCEPTED_AT_ONCE, AcceptErrors, queue_many, raise_open_files
from service.http.listening import CannotStart, check_banks, check_tls, open_listeners
from service.http.protocol import protocol_for
from service.records.state_folder import StateFolder
from service.settings import Settings, pinned_products
from service.unknown_settings import unknown_names
from service.watch.log_lines import LogLines
from service.watch.logs import library_logging, make_logger

FINAL_GRACE_S = 5
"""How long a server that cannot score any more still answers."""


def tell_start(settings: Settings, environment: Iterable[str], logger: FilteringBoundLogger) -> None:
    """Log the start of the server.

    A warning is logged for each unknown name that begins with TRIBANK_, and for each pinned product that does
    not exist. environment: the names of the environment variables.
    """
    logger.info(
        "service_starts", version=version("tribank"), device=settings.device, banks=str(settings.banks)
    )
    for name, similar in unknown_names(environment).items():
        logger.warning("unknown_setting", name=name, perhaps=similar)
    pinned = pinned_products(settings)
    products = BankStore(settings.banks).products() if pinned else []
    for name in sorted(pinned.difference(products)):
        similar = get_close_matches(name, products, 1)
        logger.warning("unknown_pinned", name=name, perhaps=similar[0] if similar else None)


def run(settings: Settings, *, ready: Callable[[str], None] | None = None) -> bool:
    """Serve until SIGTERM or Ctrl-C. False if the server ended because scoring was no longer possible.

    ready: called with the server's URL once the port is open.

    Raises CannotStart, StateInUse or BadKeys before anything is loaded, if a person has to correct something.
    """
    check_banks(settings.banks)
    check_tls(settings.tls_cert, settings.tls_key)
    lines = LogLines(os.open(os.devnull, os.O_WRONLY) if sys.stderr is None else sys.stderr.fileno())
    try:
        with redirect_stderr(lines):  # a blocked stderr must not stop a library or a thread that prints
            return _serve(settings, lines, ready)
    finally:
        lines.finish()


def _serve(settings: Settings, lines: LogLines, ready: Callable[[str], None] | None) -> bool:
    logging.captureWarnings(True)
    raise_open_files()
    logger = make_logger(lines)
    app = create_app(settings, logger=logger, lines_lost=lambda: lines.lost)
    with ExitStack() as resources:
        resources.callback(app.state.shared.state.close)
        _claim(app.state.shared.state, settings)
        listeners = [
            resources.enter_context(listener) for listener in open_listeners(settings.host, settings.port)
        ]
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
            ssl_certfile=settings.tls_cert,
            ssl_keyfile=settings.tls_key,
            timeout_keep_alive=settings.keep_alive_s,
            timeout_graceful_shutdown=round(settings.deadline_s + settings.body_timeout_s),
        )
        server = Server(config, grace_s=settings.drain_grace_s, ready=ready)
        server.run(listeners)
    return not server.failed


def _claim(state: StateFolder, settings: Settings) -> None:
    """Claim the state folder for this process before anything is loaded. Raises StateInUse, CannotStart.

    A full or read-only disk does not stop the server: the server claims the folder again while parts are
    scored.
    """
    try:
        state.claim()
    except (NotADirectoryError, FileExistsError) as error:
        raise CannotStart(
            f"The state folder {settings.state} cannot be created: {error.filename} is not a folder. Choose "
            "another folder with --state or TRIBANK_STATE."
        ) from None
    except OSError:
        return


class Server(uvicorn.Server):
    """uvicorn's server, with a grace period before the end, and an end of its own if scoring stops.

    During the grace period the server answers "not ready" and still scores parts.
    failed: whether the server ended because scoring was no longer possible.
    """

    def __init__(
        self, config: uvicorn.Config, *, grace_s: float = 0.0, ready: Callable[[str], None] | None = None
    ) -> None:
        super().__init__(config)
        config.backlog = ACCEPTED_AT_ONCE  # asyncio also accepts so many connections in one turn of its loop
        self._grace_s = grace_s
        self._ready = ready
        self._draining = False
        self.failed = False
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: Any = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(AcceptErrors())
        await super().startup(sockets)
        for server in self.servers:
            for listener in server.sockets:
                queue_many(listener.fileno())
        if self._ready is not None and self.started:
            self._ready(self.address)

    @property
    def address(self) -> str:
        """The URL at which the server listens."""
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        scheme = "https" if self.config.is_ssl else "http"
        return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop after the grace period. A second signal ends the grace period. A signal while the server stops
        ends the requests in progress too."""
        self._call(SharedObjects.leave)
        if self.should_exit:
            self.force_exit = True
        elif sig == signal.SIGTERM and self._grace_s > 0 and not self._draining and self._loop is not None:
            self._draining = True
            self._loop.call_soon_threadsafe(self._loop.call_later, self._grace_s, self._stop)
        else:
            self._stop()

    async def on_tick(self, counter: int) -> bool:
        """Whether to stop. A server that cannot score stops, so that its service manager starts it again."""
        if await super().on_tick(counter):
            return True
        application = self.config.app
        if isinstance(application, FastAPI) and not application.state.shared.alive():
            self.failed = True
            self.config.timeout_graceful_shutdown = FINAL_GRACE_S
            self._stop()
        return self.should_exit

    def _stop(self) -> None:
        self._call(SharedObjects.drain)
        self.should_exit = True

    def _call(self, method: Callable[[SharedObjects], None]) -> None:
        application = self.config.app
        if isinstance(application, FastAPI):
            method(application.state.shared)
