"""What the routes share: the server's long-lived objects, and the problems they document."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import Depends, Request

from banks.versions.store import BankStore
from models.readers import ReadLimits
from service.engine.gate import Gate
from service.engine.owner import Engine
from service.engine.workers import Workers
from service.http.arrivals import Arrivals
from service.http.problems import MEDIA_TYPE, Problem
from service.http.uploads import UploadLimits
from service.jobs.queue import Jobs
from service.records.recorder import Records
from service.records.state_folder import StateFolder
from service.watch.metrics import Metrics


@dataclass(frozen=True, slots=True)
class Wiring:
    """The long-lived objects of one server.

    arrivals: the bodies that are being received. uploads, loading, parts, batches, builds, watchers,
    exports: the gates of receiving, of waiting for a bank, of work, of batches, of receiving what builds
    need, of watching, and of tables and job results. upload_bytes: the bytes of the bodies in `uploads` and
    `parts`. stall_s: how long a client may take nothing of a streamed answer.
    """

    engine: Engine
    store: BankStore
    decoders: Workers
    encoders: Workers
    arrivals: Arrivals
    uploads: Gate
    upload_bytes: Gate
    loading: Gate
    parts: Gate
    batches: Gate
    builds: Gate
    upload_limits: UploadLimits
    read_limits: ReadLimits
    deadline_s: float
    jobs: Jobs
    metrics: Metrics
    records: Records
    state: StateFolder
    watchers: Gate
    exports: Gate
    stall_s: float
    device: str
    _leaving: threading.Event = field(init=False, default_factory=threading.Event)

    def alive(self) -> bool:
        """Whether it can still score. A pool whose thread died never takes up some of its work again."""
        return self.engine.alive() and self.decoders.alive() and self.encoders.alive()

    def not_ready(self) -> list[str]:
        """What keeps the service from being ready, in sentences; empty when it is. From any thread."""
        if self._leaving.is_set():
            return ["The service is shutting down."]
        return [*self.engine.not_ready(), *self.jobs.not_ready()]

    def leave(self) -> None:
        """Say not ready, and take new work all the same: a balancer sends it until it has noticed."""
        self._leaving.set()

    def drain(self) -> None:
        """Take no new work and interrupt jobs; parts in work are finished. From any thread."""
        self.leave()
        self.engine.drain()
        self.jobs.drain()


def _wiring(request: Request) -> Wiring:
    return request.app.state.wiring


Services = Annotated[Wiring, Depends(_wiring)]


class Problems:
    """The refusals of a route, for the OpenAPI document."""

    @staticmethod
    def of(*statuses: int) -> dict[int | str, dict[str, Any]]:
        """`responses` of a route that answers these statuses with a problem."""
        schema = {"schema": {"$ref": f"#/components/schemas/{Problem.__name__}"}}
        return {status: {"content": {MEDIA_TYPE: schema}} for status in statuses}
