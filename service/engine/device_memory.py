"""Where the GPU's memory runs out: free memory and try once more."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch

from banks.methods.memory_bank.search import free_dropped

_T = TypeVar("_T")


class DeviceFull(RuntimeError):
    """The GPU has no free memory for a computation."""


def with_room(work: Callable[[], _T]) -> _T:
    """Call `work`. Where the GPU's memory is full, free the spare memory and call `work` once more.

    Returns what `work` returns. For the scoring thread only. Raises DeviceFull if the second call fails for
    lack of memory too.
    """
    try:
        return work()
    except RuntimeError as error:
        if not is_device_full(error):
            raise
    # The memory of the failed call is free by now.
    free_dropped()
    torch.cuda.empty_cache()
    try:
        return work()
    except RuntimeError as error:
        if not is_device_full(error):
            raise
        raise DeviceFull(str(error)) from error


def is_device_full(error: RuntimeError) -> bool:
    """Whether an error of torch or FAISS says that the GPU's memory is full.

    FAISS has no exception type for a full GPU. Its allocator says "alloc fail"; CUDA says "out of memory".
    """
    words = str(error).lower()
    return isinstance(error, torch.cuda.OutOfMemoryError) or (
        ("alloc fail" in words or "out of memory" in words) and ("cuda" in words or "gpu" in words)
    )
