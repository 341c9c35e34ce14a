"""Deleting old records on time, even while no request comes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from structlog.typing import FilteringBoundLogger

from service.disk_faults import RecordsError
from service.threads import on_disk

MAX_PAUSE_S = 3600.0
_MIN_PAUSE_S = 1.0


async def keep_pruned(
    prunes: Sequence[Callable[[], None]],
    *,
    keep_s: float,
    logger: FilteringBoundLogger,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Call every function each hour, or each `keep_s` seconds if that is shorter, until cancelled.

    A function that fails because of the disk is logged and called again the next time.

    prunes: functions that block; each deletes what is too old.
    keep_s: how many seconds records are kept.
    sleep: waits that many seconds.
    """
    while True:
        await sleep(min(max(keep_s, _MIN_PAUSE_S), MAX_PAUSE_S))
        for prune in prunes:
            try:
                await on_disk(prune)
            except (OSError, RecordsError):
                logger.exception("not_pruned")
