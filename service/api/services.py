"""What the routes share: the server's long-lived objects, and the problems they document."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, Request

from banks.versions.store import BankStore
from models.readers import ReadLimits
from service.engine.owner import Engine
from service.http.arrivals import Arrivals
from service.http.gate import Gate
from service.http.problems import MEDIA_TYPE, Problem
from service.http.uploads import UploadLimits
from service.inspection import Inspection
from service.jobs.queue import Jobs
from service.records.audit import Audit
from service.records.recorder import Records
from service.records.state_folder import StateFolder
from service.watch.metrics import Metrics

if TYPE_CHECKING:
    from service.cluster.fleet import Fleet


@dataclass(frozen=True, slots=True)
class SharedObjects:
    """The long-lived objects of one server.

    inspection: scores parts.
    arrivals: the bodies that are being received.
    uploads, batches, builds, watchers, exports: the gates of parts that are received, of batches, of what
        builds need, of event streams, and of tables and job results.
    upload_bytes: the gate of the bytes of all parts.
    stall_s: the seconds that a client may read nothing of a streamed answer.
    audit: who changed what.
    device: where parts are scored.
    weights: folder of the networks' weights.
    fleet: the scorers of the cluster that score the parts; None where this process scores them.
    """

    inspection: Inspection
    store: BankStore
    arrivals: Arrivals
    uploads: Gate
    upload_bytes: Gate
    batches: Gate
    builds: Gate
    watchers: Gate
    exports: Gate
    upload_limits: UploadLimits
    stall_s: float
    jobs: Jobs
    state: StateFolder
    audit: Audit
    device: str
    weights: Path
    fleet: Fleet | None = None
    _leaving: threading.Event = field(init=False, default_factory=threading.Event)

    @property
    def engine(self) -> Engine:
        """The banks in memory and the thread that scores."""
        return self.inspection.engine

    @property
    def records(self) -> Records:
        """What is kept of each part."""
        return self.inspection.records

    @property
    def metrics(self) -> Metrics:
        """The counters."""
        return self.inspection.metrics

    @property
    def parts(self) -> Gate:
        """The gate of the parts in work."""
        return self.inspection.parts

    @property
    def read_limits(self) -> ReadLimits:
        """How large a part may be."""
        return self.inspection.read_limits

    def alive(self) -> bool:
        """Whether parts can still be scored."""
        return self.inspection.alive()

    def not_ready(self) -> list[str]:
        """What keeps the service from being ready, in sentences; empty when it is. From any thread."""
        if self._leaving.is_set():
            return ["The service is shutting down."]
        scorers = self.fleet.not_ready() if self.fleet is not None else []
        return [*scorers, *self.engine.not_ready(), *self.jobs.not_ready()]

    @property
    def leaving(self) -> bool:
        """Whether the service is shutting down."""
        return self._leaving.is_set()

    def leave(self) -> None:
        """Say not ready, and take new work all the same: a balancer sends it until it has noticed."""
        self._leaving.set()

    def drain(self) -> None:
        """Take no new work and interrupt jobs; parts in work are finished. From any thread."""
        self.leave()
        self.engine.drain()
        self.jobs.drain()


def _shared(request: Request) -> SharedObjects:
    return request.app.state.shared


Services = Annotated[SharedObjects, Depends(_shared)]


class Problems:
    """The refusals of a route, for the OpenAPI document."""

    @staticmethod
    def of(*statuses: int) -> dict[int | str, dict[str, Any]]:
        """`responses` of a route that answers these statuses with a problem."""
        schema = {"schema": {"$ref": f"#/components/schemas/{Problem.__name__}"}}
        return {status: {"content": {MEDIA_TYPE: schema}} for status in statuses}
