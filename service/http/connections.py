"""How many connections there may be, in all and of one address, and which one makes room for another."""

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
"""The limit on open files is raised to no more than that: some libraries walk through all numbers."""
SPARE_FILES = 96
"""Descriptors left for what is no connection: databases, banks, uploads on disk, builds, the log."""
ACCEPTED_AT_ONCE = 16
"""Connections that one turn of the event loop takes up. Some turns pass before they are counted here and
those above the bound are closed, so `_TURNS` times as many may be open beyond it."""
_TURNS = 4
LINGERING = 32
"""Refused connections that stay open for a moment, so that the client reads the answer and not a reset."""
_FEWEST = 16
_QUEUED = 2048
"""Connections that the kernel keeps until they are taken up."""
_NO_MORE = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_TELL_EVERY_S = 60.0


class Connection(Protocol):
    """One client's connection, as the bound sees it."""

    @property
    def address(self) -> str:
        """The client's."""
        ...

    @property
    def idle_since(self) -> float | None:
        """When it last had a request in work, or was made, on the loop's clock; None while it has one."""
        ...

    def make_way(self) -> None:
        """Close, now: another needs the place."""
        ...


class Connections:
    """All connections of a server. Where there is no room for a new one, the one that has been idle for
    longest makes way: of the same address where that has its share, else of the address that has most.
    For the event loop only."""

    def __init__(self, most: int, share: int) -> None:
        """most: in all. share: of one address."""
        self.most = most
        self.share = share
        self.lingering = 0
        self.to_be_told = OnceAMinute()
        """Whether it is time to log that there was no room."""
        self._of: dict[str, set[Connection]] = {}

    @property
    def count(self) -> int:
        """How many there are."""
        return sum(len(held) for held in self._of.values())

    def enter(self, new: Connection) -> bool:
        """Whether there is room for a new connection, or another made way for it."""
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
        """It is closed, or about to be."""
        held = self._of.get(connection.address)
        if held is not None:
            held.discard(connection)
            if not held:
                del self._of[connection.address]


def _longest_idle(groups: Iterable[set[Connection]]) -> Connection | None:
    """Of the first group that has an idle connection, the one that is so for longest."""
    for held in groups:
        idle = [(since, one) for one in held if (since := one.idle_since) is not None]
        if idle:
            return min(idle, key=lambda pair: pair[0])[1]
    return None


class OnceAMinute:
    """Says that something is to be told, and no again for a minute, whatever clients do."""

    def __init__(self) -> None:
        self._told_at = -_TELL_EVERY_S

    def __call__(self, now: float) -> bool:
        if now - self._told_at < _TELL_EVERY_S:
            return False
        self._told_at = now
        return True


class AcceptErrors:
    """The event loop's handler of errors: says once a minute that no connection can be taken up for want of
    descriptors or memory. asyncio says so many times a second (cpython #151615), which fills the log."""

    def __init__(self) -> None:
        self._due = OnceAMinute()

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        none_left = isinstance(error, OSError) and error.errno in _NO_MORE and "accept" in context["message"]
        if not none_left or self._due(loop.time()):
            loop.default_exception_handler(context)


def queue_many(listener: int) -> None:
    """Let the kernel keep more connections of a listening socket than are taken up at once."""
    with socket.socket(fileno=os.dup(listener)) as queue:
        queue.listen(_QUEUED)


def raise_open_files() -> None:
    """Take as many open files as the system grants without asking: the soft limit is often 1024, or less."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def bound_of(settings: Settings) -> Connections:
    """The bound that the settings ask for, lowered to what the limit on open files leaves room for."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = settings.max_connections
    if soft != resource.RLIM_INFINITY:
        open_now = len(os.listdir("/proc/self/fd"))
        most = min(most, soft - open_now - SPARE_FILES - LINGERING - _TURNS * ACCEPTED_AT_ONCE)
    most = max(_FEWEST, most)
    return Connections(most, min(most, settings.max_connections_per_address))
