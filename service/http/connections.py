"""Bounds on the number of connections: of the server, and of one address.

A new connection may take the place of an idle connection.
"""

from __future__ import annotations

import asyncio
import errno
import os
import resource
import socket
from collections.abc import Iterable
from typing import Any, Protocol

from service.settings import Settings

MOST_OPEN_FILES = 65_536
"""Largest limit on open files that the server sets. Some libraries loop over all possible descriptors."""
SPARE_FILES = 96
"""File descriptors reserved for other uses than connections: databases, banks, uploads, builds, the log."""
ACCEPTED_AT_ONCE = 16
"""Connections accepted in one turn of the event loop. New connections are counted some turns later, so up to
`_TURNS` times as many connections may be open above the bound."""
_TURNS = 4
LINGERING = 32
"""Most refused connections that stay open for a moment, so that their clients read the refusal."""
_FEWEST = 16
_QUEUED = 2048
"""Connections that the kernel queues until the server accepts them."""
_NO_MORE = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_LOG_EVERY_S = 60.0


class Connection(Protocol):
    """One connection of a client."""

    @property
    def address(self) -> str:
        """The address of the client."""
        ...

    @property
    def idle_since(self) -> float | None:
        """When the connection became idle, on the event loop's clock. None while a request is in progress."""
        ...

    def make_way(self) -> None:
        """Close the connection now: another connection takes its place."""
        ...


class Connections:
    """All connections of a server.

    If a new connection finds no place, the connection that is idle for longest is closed. If the address of
    the client has used up its share, a connection of the same address is closed. Otherwise a connection of
    the address with the most connections is closed. For the event loop only.
    """

    def __init__(self, most: int, share: int) -> None:
        """most: connections of the server. share: most connections of one address."""
        self.most = most
        self.share = share
        self.lingering = 0
        self.log_due = OnceAMinute()
        """Whether a refused connection is to be logged now."""
        self._of: dict[str, set[Connection]] = {}

    @property
    def count(self) -> int:
        """Number of open connections."""
        return sum(len(group) for group in self._of.values())

    def enter(self, new: Connection) -> bool:
        """Count a new connection; close an idle connection if needed. False: no place is free."""
        own = self._of.get(new.address, set())
        if len(own) >= self.share:
            free = _longest_idle([own])
        elif self.count >= self.most:
            free = _longest_idle(sorted(self._of.values(), key=len, reverse=True))
        else:
            free = new
        if free is None:
            return False
        if free is not new:
            self.leave(free)
            free.make_way()
        self._of.setdefault(new.address, set()).add(new)
        return True

    def leave(self, connection: Connection) -> None:
        """Count a connection no longer: it is closed or about to be closed."""
        group = self._of.get(connection.address)
        if group is not None:
            group.discard(connection)
            if not group:
                del self._of[connection.address]


def _longest_idle(groups: Iterable[set[Connection]]) -> Connection | None:
    """The connection that is idle for longest in the first group with an idle connection."""
    for group in groups:
        idle = [(since, connection) for connection in group if (since := connection.idle_since) is not None]
        if idle:
            return min(idle, key=lambda pair: pair[0])[1]
    return None


class OnceAMinute:
    """True at most once a minute, so that clients cannot fill the log."""

    def __init__(self) -> None:
        self._logged_at = -_LOG_EVERY_S

    def __call__(self, now: float) -> bool:
        if now - self._logged_at < _LOG_EVERY_S:
            return False
        self._logged_at = now
        return True


class AcceptErrors:
    """The event loop's error handler.

    The handler logs once a minute that connections cannot be accepted for lack of descriptors or memory.
    asyncio alone logs this error many times a second (cpython #151615) and fills the log.
    """

    def __init__(self) -> None:
        self._due = OnceAMinute()

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        none_left = isinstance(error, OSError) and error.errno in _NO_MORE and "accept" in context["message"]
        if not none_left or self._due(loop.time()):
            loop.default_exception_handler(context)


def queue_many(listener: int) -> None:
    """Let the kernel queue more connections of a listening socket than are accepted in one turn."""
    with socket.socket(fileno=os.dup(listener)) as queue:
        queue.listen(_QUEUED)


def raise_open_files() -> None:
    """Raise the soft limit on open files, which is often only 1024, to the hard limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def bound_of(settings: Settings) -> Connections:
    """The bounds in the settings, lowered if the limit on open files is too small."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = settings.max_connections
    if soft != resource.RLIM_INFINITY:
        open_now = len(os.listdir("/proc/self/fd"))
        most = min(most, soft - open_now - SPARE_FILES - LINGERING - _TURNS * ACCEPTED_AT_ONCE)
    most = max(_FEWEST, most)
    return Connections(most, min(most, settings.max_connections_per_address))
