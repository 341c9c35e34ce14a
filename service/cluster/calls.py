"""How a front reaches scorers, whatever carries the calls."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from service.cluster.scorer import Reply
    from service.cluster.wire import Message

REACHED_S = 5.0
"""How long a cluster may take to accept a connection."""


class NoCluster(RuntimeError):
    """The cluster cannot be reached, or runs no Serve."""


def check_reachable(address: str) -> None:
    """Check that something listens at host:port. Any other address, such as auto, is not checked.

    Raises NoCluster.
    """
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), REACHED_S).close()
    except (OSError, OverflowError) as error:
        raise NoCluster(f"No Ray cluster answers at {address}: {error}. Start its head first.") from None


class ScorerGone(Exception):
    """A scorer died, does not answer, or has no place for a part. Another scorer may do the work."""


class NoAnswer(ScorerGone):
    """A scorer did not answer one call within its time. It may be at work, on this or on something else."""


class Calls(Protocol):
    """The scorers of a cluster, by name. The calls block; any thread may make them. They raise ScorerGone,
    and NoAnswer after `within_s` seconds."""

    def names(self) -> list[str]:
        """The scorers that are meant to run, running or not."""
        ...

    def facts(self, scorer: str, *, within_s: float) -> Reply:
        """`Scorer.facts`."""
        ...

    def load(
        self, scorer: str, product: str, version: str, *, gone: Callable[[], bool], within_s: float
    ) -> Reply:
        """`Scorer.load`. gone: asked now and then; ScorerGone is raised once it is true."""
        ...

    def score(
        self, scorer: str, ask: Mapping[str, Any], part: Message, *, gone: Callable[[], bool], within_s: float
    ) -> Reply:
        """`Scorer.score`. gone: as in `load`."""
        ...

    def close(self) -> None:
        """Leave the cluster."""
        ...
