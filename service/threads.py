"""Calls that would hold up the event loop, made on a thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TypeVar

_T = TypeVar("_T")


async def on_disk(call: Callable[[], _T]) -> _T:
    """Make a call that waits for the disk."""
    return await asyncio.to_thread(call)


async def on_pool(pool: Executor, call: Callable[[], _T]) -> _T:
    """Make a call that computes, on one of the pool's threads."""
    return await asyncio.get_running_loop().run_in_executor(pool, call)
