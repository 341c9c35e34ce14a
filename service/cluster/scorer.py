"""A scorer: one process, one device, and the versions that fronts ask it to score by.

A scorer keeps no record, knows no client and follows no pointer. A front can lose it at any time, and let
another scorer score the same part by the same version with the same result.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from structlog.typing import FilteringBoundLogger

from banks.versions.store import BankStore
from service.cluster.versions import VersionLoader
from service.cluster.wire import Message, calibration_json, pack_result, unpack_sample
from service.engine.detectors import Residency, Served
from service.engine.local_copies import LocalCopies
from service.engine.owner import Engine, Scored
from service.engine.scorers import scorers_on
from service.refusals import NotReady, Refusal, UnknownProduct

Reply = dict[str, Any]
"""What a scorer answers, in plain types: see `Scorer.score` and `Scorer.load`."""


_FOLDERS = ("banks", "weights", "cache")


@dataclass(frozen=True, slots=True)
class ScorerSettings:
    """What a scorer is started with.

    banks, weights: folders that every front and scorer reads under these paths.
    device: "cpu" or "cuda".
    memory_mb, device_mb: the most that banks and networks take on the host and on the GPU. None: no limit.
    at_once: parts that are scored at once; None as `service.engine.scorers.scorers_on`.
    queue: the most parts that wait.
    stuck_s: seconds after which a part counts as hung.
    cache, cache_mb: folder of this computer for copies of versions, and the most that they take; None: none.
    """

    banks: Path
    weights: Path
    device: str = "cpu"
    memory_mb: int | None = None
    device_mb: int | None = None
    at_once: int | None = None
    queue: int = 16
    stuck_s: float = 120.0
    cache: Path | None = None
    cache_mb: int = 16384

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> ScorerSettings:
        """From the fields, paths as text."""
        folders = {name: Path(given[name]) for name in _FOLDERS if given.get(name) is not None}
        return cls(**{**given, **folders})

    def plain(self) -> dict[str, Any]:
        """The fields, paths as text: `of` reads them."""
        fields = asdict(self)
        return fields | {name: str(fields[name]) for name in _FOLDERS if fields[name] is not None}


class Scorer:
    """Scores parts by the versions that are named. For one event loop."""

    def __init__(self, settings: ScorerSettings, logger: FilteringBoundLogger) -> None:
        """Start the engine, with no version in memory."""
        self._settings = settings
        store = BankStore(settings.banks)
        copies = LocalCopies.of(store, settings.cache, settings.cache_mb, logger)
        self._versions = VersionLoader(store, device=settings.device, weights=settings.weights, copies=copies)
        self._at_once = scorers_on(settings.device, settings.at_once)
        self._engine = Engine(
            self._versions,
            queue_size=settings.queue,
            logger=logger,
            residency=Residency(
                budget_bytes=_bytes(settings.memory_mb),
                device_bytes=_bytes(settings.device_mb),
                lazy=True,
            ),
            stuck_s=settings.stuck_s,
            scorers=self._at_once,
        )
        self._engine.start()

    def close(self) -> None:
        """Score the parts that wait, then stop."""
        self._engine.close()

    def alive(self) -> bool:
        """Whether parts can be scored. A scorer that is not alive has to be started again."""
        return self._engine.alive()

    def facts(self) -> Reply:
        """What a front wants to know: the versions in memory by their engine names, the parts that wait, the
        parts that are scored at once, the bytes of memory that are taken and that may be taken, and where
        the process is."""
        served = self._engine.products()
        return {
            "versions": sorted(key for key, one in served.items() if one.detector is not None),
            "waiting": self._engine.waiting,
            "at_once": self._at_once,
            "device": self._settings.device,
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "memory_bytes": self._engine.residents.memory_bytes(),
            "memory_limit": _bytes(self._settings.memory_mb),
        }

    async def load(self, product: str, version: str) -> Reply:
        """Have a version in memory, warmed up and its probe scored.

        Returns {} or {"refusal": ..., "damaged": whether the version's files are at fault}.
        """
        try:
            await self._loaded(product, version)
        except Refusal as refusal:
            return {"refusal": _told(refusal), "damaged": self._versions.damaged(product, version)}
        return {}

    async def score(self, ask: Mapping[str, Any], part: Message, within_s: float) -> Reply:
        """Score a part.

        ask: product and version; and calibration, the version's as the front knows it (`calibration_json`).
        within_s: seconds until nobody waits for the answer.
        part: as `pack_sample` makes it.

        Returns {"result": as `pack_result` makes it} or {"refusal": ...}.
        """
        deadline = time.monotonic() + within_s
        try:
            served = await self._loaded(ask["product"], ask["version"], ask["calibration"])
            sample = await asyncio.to_thread(unpack_sample, part)
            detector = served.detector
            assert detector is not None
            scored = await self._engine.score(
                served.product, sample, deadline=deadline, sensor=detector.manifest.sensor
            )
        except Refusal as refusal:
            return {"refusal": _told(refusal)}
        return {"result": await asyncio.to_thread(_packed, scored)}

    async def _loaded(self, product: str, version: str, calibration: str | None = None) -> Served:
        """The version in memory, calibrated as the disk says. Raises Refusal.

        calibration: what the front knows. If the version has another one here, the disk is read again.
        """
        key = self._versions.ask(product, version)
        served = self._engine.products().get(key)
        if served is None or served.state == "failed":
            served = await asyncio.wrap_future(self._engine.residents.refresh(key))
            if served.state == "failed":
                raise NotReady("bank_failed", served.note)
        served = await asyncio.shield(asyncio.wrap_future(self._engine.when_loaded(key)))
        detector = served.detector
        if detector is None:
            raise UnknownProduct
        if calibration not in (None, calibration_json(detector.calibration)):
            served = await asyncio.wrap_future(self._engine.residents.refresh(key))
        return served


def _packed(scored: Scored) -> Message:
    return pack_result(scored.result)


def _bytes(megabytes: int | None) -> int | None:
    return None if megabytes is None else megabytes << 20


def _told(refusal: Refusal) -> Reply:
    """A refusal in plain types."""
    return {
        "status": refusal.status,
        "code": refusal.code,
        "detail": refusal.detail,
        "part": refusal.part,
        "headers": refusal.headers,
        "extra": refusal.extra,
    }


def refusal_of(told: Reply) -> Refusal:
    """The refusal that a scorer told."""
    return Refusal(
        told["status"],
        told["code"],
        told["detail"],
        part=told["part"],
        headers=told["headers"],
        extra=told["extra"],
    )
