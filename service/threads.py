"""Calls that would block the event loop, made on a thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TypeVar

_T = TypeVar("_T")


async def on_disk(call: Callable[[], _T]) -> _T:
    """Make a call that waits for the disk, on a thread."""
    return await asyncio.to_thread(call)


async def on_pool(pool: Executor, call: Callable[[], _T]) -> _T:
    """Make a call that computes, on a thread of the pool."""
    return await asyncio.get_running_loop().run_in_executor(pool, call)
