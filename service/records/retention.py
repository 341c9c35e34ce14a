"""What is kept for a time goes in time, also while nothing is asked of the service."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Sequence

from structlog.typing import FilteringBoundLogger

from service.threads import on_disk

LONGEST_S = 3600.0
_SHORTEST_S = 1.0


async def keep_pruned(
    prunes: Sequence[Callable[[], None]],
    *,
    keep_s: float,
    logger: FilteringBoundLogger,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Call each every hour, or as often as what is kept for `keep_s` grows too old; until cancelled.

    One that the disk does not let is told, and tried again the next time.
    """
    while True:
        await sleep(min(max(keep_s, _SHORTEST_S), LONGEST_S))
        for prune in prunes:
            try:
                await on_disk(prune)
            except (OSError, sqlite3.Error):
                logger.exception("not_pruned")
