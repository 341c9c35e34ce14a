"""Where the device's memory runs out: make room, and try once more."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch

_T = TypeVar("_T")


def with_room(work: Callable[[], _T]) -> _T:
    """What `work` returns; a second time, with torch's spare memory given back, if the device has none left.

    Raises torch.cuda.OutOfMemoryError if that is not enough.
    """
    try:
        return work()
    except torch.cuda.OutOfMemoryError:
        pass  # what the failed try held is let go here, before the next
    torch.cuda.empty_cache()
    return work()
