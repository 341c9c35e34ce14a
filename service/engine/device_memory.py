"""Where the device's memory runs out: make room, and try once more."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch

from banks.methods.memory_bank.search import free_dropped

_T = TypeVar("_T")


class DeviceFull(RuntimeError):
    """The device has no memory left for this."""


def with_room(work: Callable[[], _T]) -> _T:
    """What `work` returns; a second time, with all spare memory given back, if the device has none left. For
    the thread that scores.

    Raises DeviceFull if that is not enough.
    """
    try:
        return work()
    except RuntimeError as error:
        if not is_device_full(error):
            raise
    # what the failed try held is let go by now
    free_dropped()
    torch.cuda.empty_cache()
    try:
        return work()
    except RuntimeError as error:
        if not is_device_full(error):
            raise
        raise DeviceFull(str(error)) from error


def is_device_full(error: RuntimeError) -> bool:
    """Whether torch or FAISS says that the device's memory is full. FAISS has no type of its own for it: its
    allocator says "alloc fail", CUDA "out of memory"."""
    words = str(error).lower()
    return isinstance(error, torch.cuda.OutOfMemoryError) or (
        ("alloc fail" in words or "out of memory" in words) and ("cuda" in words or "gpu" in words)
    )
