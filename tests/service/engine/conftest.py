from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from service.engine.owner import Engine
from service.watch.logs import make_logger
from tests.waiting import until

Start = Callable[..., Engine]


def soon() -> float:
    """A deadline that no part of a test misses."""
    return time.monotonic() + 60


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts engines, and stops them afterwards."""
    engines: list[Engine] = []

    def start(loader: Any, *, queue_size: int = 4, wait: bool = True, **options: Any) -> Engine:
        engine = Engine(loader, queue_size=queue_size, logger=make_logger(io.StringIO()), **options)
        engines.append(engine)
        engine.start()
        if wait:
            until(lambda: engine.residents.settled, "the loaded banks")
        return engine

    yield start
    for engine in engines:
        engine.close(5)
