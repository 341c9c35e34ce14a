"""How many requests may be in one stage at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from service.problems import Overloaded


class Gate:
    """Lets `limit` requests through at once and refuses the others. For the event loop only."""

    def __init__(self, limit: int, retry_after_s: Callable[[], int]) -> None:
        self.limit = limit
        self.inside = 0
        self._retry_after_s = retry_after_s

    @contextmanager
    def enter(self) -> Iterator[None]:
        """Hold one place. Raises Overloaded."""
        if self.inside >= self.limit:
            raise Overloaded(self._retry_after_s())
        self.inside += 1
        try:
            yield
        finally:
            self.inside -= 1
