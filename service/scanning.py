"""One part on its way from the bytes of its fields to a result. Every way of asking goes through here."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from service.answers import Scan
from service.deadline import Clock
from service.parts import decode
from service.problems import Refusal
from service.wiring import Wiring

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked of one part. threshold: the request's own, in place of the calibration's."""

    product: str
    part_id: str | None
    threshold: float | None
    clock: Clock


async def scan_part(ask: Ask, fields: dict[str, bytes], services: Wiring) -> Scan:
    """Decode and score the part in fields that `check_fields` passed; empties them. Raises Refusal."""
    started = time.perf_counter()
    try:
        sample = await on_pool(services.decoders, lambda: decode(fields, services.read_limits))
        fields.clear()
        decode_ms = (time.perf_counter() - started) * 1000
        scored = await services.engine.score(ask.product, sample, deadline=ask.clock.deadline)
    except Refusal as refusal:
        services.metrics.refused(ask.product, refusal.code)
        raise
    timings = {"decode": decode_ms, "queue": scored.queue_ms, **scored.result.timings_ms}
    timings["total"] = (time.perf_counter() - started) * 1000
    services.metrics.scored(sample, scored, timings)
    if ask.threshold is not None:
        scored = replace(scored, result=scored.result.judged(ask.threshold))
    own = ask.threshold is not None
    return Scan(sample, scored, ask.part_id, uuid.uuid4().hex, timings, own_threshold=own)


def noted(scan: Scan) -> dict[str, Any]:
    """What the log says of a part."""
    result = scan.scored.result
    return {
        "part_id": scan.part_id,
        "result_id": scan.result_id,
        "bank_version": scan.scored.detector.version,
        "score": round(result.score, 6),
        "threshold": round(result.threshold, 6),
        "threshold_source": scan.threshold_source,
        "decision": result.decision,
        "timings_ms": {stage: round(ms, 1) for stage, ms in scan.timings_ms.items()},
    }


async def on_pool(pool: Executor, call: Callable[[], _T]) -> _T:
    """A call that is too heavy for the event loop."""
    return await asyncio.get_running_loop().run_in_executor(pool, call)
