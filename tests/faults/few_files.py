"""A command that may open few files. `limit` is a hook of `tests.faults.warm`."""

from __future__ import annotations

import resource

MOST = 256


def limit() -> None:
    """Let this process open `MOST` files at once."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (MOST, MOST))
