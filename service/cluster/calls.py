"""How a front reaches scorers, whatever carries the calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from service.cluster.scorer import Reply
from service.cluster.wire import Message


class ScorerGone(Exception):
    """A scorer died, does not answer, or has no place for a part. Another scorer may do the work."""


class Calls(Protocol):
    """The scorers of a cluster, by name. The calls block; any thread may make them. They raise ScorerGone."""

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
