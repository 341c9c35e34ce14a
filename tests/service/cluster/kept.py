"""The kept version of tests/data, its part, and scorers in this process instead of a cluster."""

from __future__ import annotations

import asyncio
import io
import shutil
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from models.readers import ReadLimits, read_part
from models.readers.declared import UNDECLARED
from models.sample import Sample
from models.weights.folder import DEFAULT_WEIGHTS
from service.cluster.calls import ScorerGone
from service.cluster.scorer import Reply, Scorer, ScorerSettings
from service.cluster.wire import Message
from service.watch.logs import make_logger

KEPT = Path(__file__).parents[2] / "data" / "versions" / "schema-3"
PRODUCT = "biscuit"


def kept_sample() -> Sample:
    """The part that came with the kept version."""
    limits = ReadLimits(rgb_bytes=10**8, xyz_bytes=10**8, rgb_pixels=10**8, xyz_pixels=10**8)
    return read_part({"sample": (KEPT / "part.npz").read_bytes()}, UNDECLARED, limits)


def kept_banks(root: Path, *products: str, versions: int = 1) -> Path:
    """A bank folder with products that are copies of the kept version."""
    for product in products or (PRODUCT,):
        shutil.copytree(KEPT / PRODUCT, root / product)
        for number in range(2, versions + 1):
            shutil.copytree(root / product / "v1", root / product / f"v{number}")
    return root


class ScorersHere:
    """Scorers in this process, as a front calls them. A name in `dead` does not answer."""

    def __init__(self, banks: Path, names: str, **settings: Any) -> None:
        self.dead: set[str] = set()
        self.log = io.StringIO()
        self.asked: list[tuple[str, str]] = []
        self.before: Callable[[str, str], None] = lambda scorer, verb: None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        given = ScorerSettings(banks, DEFAULT_WEIGHTS, at_once=1, **settings)
        self.scorers = {name: Scorer(given, make_logger(self.log)) for name in names}

    def names(self) -> list[str]:
        return sorted(self.scorers)

    def facts(self, scorer: str, *, within_s: float) -> Reply:
        self._check(scorer, "facts")
        return self.scorers[scorer].facts()

    def load(
        self, scorer: str, product: str, version: str, *, gone: Callable[[], bool], within_s: float
    ) -> Reply:
        self._check(scorer, "load")
        return self._run(self.scorers[scorer].load(product, version))

    def score(
        self, scorer: str, ask: Mapping[str, Any], part: Message, *, gone: Callable[[], bool], within_s: float
    ) -> Reply:
        self._check(scorer, "score")
        return self._run(self.scorers[scorer].score(ask, part, within_s))

    def close(self) -> None:
        for scorer in self.scorers.values():
            scorer.close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _check(self, scorer: str, verb: str) -> None:
        self.asked.append((scorer, verb))
        self.before(scorer, verb)
        if scorer in self.dead:
            raise ScorerGone("dead")

    def _run(self, work: Any) -> Reply:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(100)
