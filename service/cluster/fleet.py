"""A front's view of the scorers: which of them run, which versions they hold, and which of them scores."""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from structlog.typing import FilteringBoundLogger

from banks.detector import PartResult
from banks.versions.store import BadBank
from service.cluster.calls import Calls, NoAnswer, ScorerGone
from service.cluster.placement import place
from service.cluster.scorer import Reply, refusal_of
from service.cluster.versions import key_of
from service.cluster.wire import Message, unpack_result
from service.refusals import DeadlinePassed, LoadFailed, NotReady

POLL_S = 1.0
"""Seconds between two looks at the scorers."""
_FACTS_S = 5.0  # a scorer that says nothing for this time counts as gone
_LOAD_S = 300.0
_AGAIN_S = 0.2
_BUSY_S = 30.0  # over how long the parts in work of a product are averaged
_GONE = frozenset({"not_running", "shutting_down"})  # refusals of a scorer that ends


class NoScorer(NotReady, LoadFailed):
    """No scorer of the cluster runs, or none of them could score a part."""

    def __init__(self) -> None:
        super().__init__("no_scorer", "No scorer of the cluster answers. Send the part again soon.")


@dataclass(slots=True)
class ScorerState:
    """What a front knows of one scorer.

    up: whether it answered lately. versions: in its memory, by their engine names.
    in_work: parts that this front has sent and that are not answered.
    facts: what the scorer said last (`Scorer.facts`).
    """

    name: str
    up: bool = False
    versions: frozenset[str] = frozenset()
    in_work: int = 0
    facts: Reply = field(default_factory=dict)


class Fleet:
    """Scores parts on the scorers of a cluster. Any thread may call the methods; `load` and `score` block."""

    def __init__(
        self, calls: Calls, *, copies: Mapping[str, int], patience_s: float, logger: FilteringBoundLogger
    ) -> None:
        """Create a view that knows no scorer yet.

        copies: on how many scorers a product lies at least, where it is not one; "*" is every other product.
        patience_s: how long a part waits for a scorer that can score it.
        """
        self._calls = calls
        self._copies = dict(copies)
        self._patience_s = patience_s
        self._logger = logger
        self._lock = threading.Lock()
        self._scorers: dict[str, ScorerState] = {}
        self._sizes: dict[str, int] = {}
        self._places: dict[str, tuple[str, ...]] = {}
        self._in_work: Counter[str] = Counter()
        self._busy: dict[str, float] = {}
        self._loading: set[tuple[str, str]] = set()
        self._closing = threading.Event()
        self._asking = ThreadPoolExecutor(16, "tribank-facts")
        self._loads = ThreadPoolExecutor(16, "tribank-loads")  # apart: a load may take minutes
        self._thread = threading.Thread(target=self._watch, name="tribank-fleet", daemon=True)

    def start(self) -> None:
        """Look at the scorers once, then go on looking."""
        self._look()
        self._thread.start()

    def close(self) -> None:
        """Look no more, and leave the cluster."""
        self._closing.set()
        if self._thread.ident is not None:
            self._thread.join(2 * _FACTS_S)
        for pool in (self._asking, self._loads):  # a call that outlives the cluster would never end
            pool.shutdown(cancel_futures=True)
        self._calls.close()

    def scorers(self) -> list[ScorerState]:
        """The scorers by name."""
        with self._lock:
            return [self._scorers[name] for name in sorted(self._scorers)]

    def places(self) -> dict[str, tuple[str, ...]]:
        """The scorers of each product that was loaded."""
        return dict(self._places)

    def up(self) -> frozenset[str]:
        """The names of the scorers that answer."""
        return frozenset(scorer.name for scorer in self.scorers() if scorer.up)

    def not_ready(self) -> list[str]:
        """Why no part can be scored, in sentences; empty where a scorer answers."""
        scorers = self.scorers()
        if any(scorer.up for scorer in scorers):
            return []
        if not scorers:
            return ["The cluster has no scorers. Start them with 'tribank cluster start'."]
        return ["No scorer of the cluster answers. They start again by themselves within seconds."]

    def load(self, product: str, version: str, size: int) -> None:
        """Have a version in the memory of every scorer of its product that runs.

        size: bytes of the product's banks. Raises BadBank where the version's files are damaged to a scorer;
        LoadFailed where no scorer loads it for another reason; NoScorer.
        """
        with self._lock:
            self._sizes[product] = size
        self._place()
        until = time.monotonic() + self._patience_s
        while True:
            placed = self._places.get(product, ())
            scorers = [scorer for scorer in self.scorers() if scorer.up and scorer.name in placed]
            replies = list(self._loads.map(lambda one: self._load(one, product, version), scorers))
            refused = {one.name: reply for one, reply in zip(scorers, replies, strict=True) if reply}
            if {} in replies:
                for name, reply in refused.items():  # which tries again when a part comes
                    reason = reply["refusal"]["detail"]
                    order = {"scorer": name, "product": product, "bank_version": version}
                    self._logger.warning("version_not_loaded", **order, reason=reason)
                return
            for reply in refused.values():
                raise _failed(reply)
            if time.monotonic() > until or self._closing.wait(_AGAIN_S):
                raise NoScorer

    def forget(self, product: str) -> None:
        """Give the scorers of a product that was deleted to the others."""
        with self._lock:
            self._sizes.pop(product, None)
            self._busy.pop(product, None)

    def score(self, product: str, version: str, calibration: str, part: Message) -> PartResult:
        """Score a part by a version. Where a scorer is lost, another one scores the part. Raises Refusal.

        calibration: the version's, as this front knows it.
        """
        until = time.monotonic() + self._patience_s
        tried: set[str] = set()
        ask = {"product": product, "version": version, "calibration": calibration}
        while True:
            scorer = self._take(product, version, tried)
            if scorer is None:
                if time.monotonic() > until or self._closing.wait(_AGAIN_S):
                    raise NoScorer
                tried.clear()
                continue
            started = time.perf_counter()
            try:
                left_s = max(_AGAIN_S, until - time.monotonic())
                reply = self._calls.score(
                    scorer.name, ask, part, gone=lambda one=scorer: not one.up, within_s=left_s
                )
                if "refusal" not in reply:
                    return _timed(unpack_result(reply["result"]), started)
                refusal = refusal_of(reply["refusal"])
                if refusal.code not in _GONE:
                    raise refusal
                self._lost(scorer, refusal.code)
            except NoAnswer:  # to this part: the others that are there go on
                raise DeadlinePassed from None
            except ScorerGone as error:
                self._lost(scorer, str(error))
            finally:
                self._give_back(scorer, product)
            tried.add(scorer.name)

    def _take(self, product: str, version: str, tried: Collection[str]) -> ScorerState | None:
        """The scorer for a part, which has one part more in work from now on."""
        key = key_of(product, version)
        with self._lock:
            up = {name: one for name, one in self._scorers.items() if one.up and name not in tried}
            placed = [up[name] for name in self._places.get(product, ()) if name in up]
            holders = [one for one in placed if key in one.versions]
            holders = holders or [one for one in up.values() if key in one.versions]
            chosen = min(
                holders or placed or list(up.values()), key=lambda one: (one.in_work, one.name), default=None
            )
            missing = [one for one in placed if key not in one.versions and one is not chosen]
            if chosen is not None:
                chosen.in_work += 1
                self._in_work[product] += 1
        for scorer in missing:
            self._load_soon(scorer, product, version)
        return chosen

    def _give_back(self, scorer: ScorerState, product: str) -> None:
        with self._lock:
            scorer.in_work -= 1
            self._in_work[product] -= 1

    def _load_soon(self, scorer: ScorerState, product: str, version: str) -> None:
        """Let a scorer load a version while other scorers still score by it."""
        order = scorer.name, key_of(product, version)
        with self._lock:
            if order in self._loading or self._closing.is_set():
                return
            self._loading.add(order)

        def load() -> None:
            try:
                self._load(scorer, product, version)
            finally:
                with self._lock:
                    self._loading.discard(order)

        self._loads.submit(load)

    def _load(self, scorer: ScorerState, product: str, version: str) -> Reply | None:
        """What a scorer says of a load; None where it is gone or takes too long, or this front ends."""

        def gone() -> bool:
            return not scorer.up or self._closing.is_set()

        try:
            reply = self._calls.load(scorer.name, product, version, gone=gone, within_s=_LOAD_S)
        except NoAnswer:
            return None
        except ScorerGone as error:
            if not self._closing.is_set():
                self._lost(scorer, str(error))
            return None
        if not reply:
            scorer.versions |= {key_of(product, version)}
        elif (code := reply["refusal"]["code"]) in _GONE:
            self._lost(scorer, code)
            return None
        return reply

    def _watch(self) -> None:
        while not self._closing.wait(POLL_S):
            try:
                self._look()
            except Exception:
                self._logger.exception("cluster_not_seen")

    def _look(self) -> None:
        """Ask all scorers, and place the products again."""
        try:
            names = self._calls.names()
        except ScorerGone as error:
            self._logger.error("cluster_not_seen", reason=str(error))
            return
        with self._lock:
            for name in names:
                self._scorers.setdefault(name, ScorerState(name))
            known = dict(self._scorers)
            for name in set(known).difference(names):
                known[name].up = False
                del self._scorers[name]
            self._count_busy()
        list(self._asking.map(self._ask, [known[name] for name in names]))
        self._place()

    def _ask(self, scorer: ScorerState) -> None:
        try:
            facts = self._calls.facts(scorer.name, within_s=_FACTS_S)
        except ScorerGone as error:
            self._lost(scorer, str(error))
            return
        before, scorer.facts = scorer.facts, facts
        if scorer.up and _process(before) != _process(facts):
            self._lost(scorer, "started again")  # so that its end is seen, however soon it is back
            return
        scorer.versions = frozenset(facts["versions"])
        if not scorer.up:
            scorer.up = True
            self._logger.info("scorer_up", scorer=scorer.name)

    def _lost(self, scorer: ScorerState, reason: str) -> None:
        """A scorer is not asked again until it answers. What it had in memory is lost."""
        if scorer.up:
            self._logger.warning("scorer_lost", scorer=scorer.name, reason=reason)
        scorer.up, scorer.versions = False, frozenset()

    def _count_busy(self) -> None:
        """Average the parts in work of each product, and give a product more scorers or fewer."""
        share = POLL_S / _BUSY_S
        for product in self._sizes:
            before = self._busy.get(product, 0.0)
            self._busy[product] = before + share * (self._in_work[product] - before)

    def _place(self) -> None:
        with self._lock:
            up = [scorer for scorer in self._scorers.values() if scorer.up]
            rooms = {scorer.name: scorer.facts["memory_limit"] for scorer in up}
            each = max(1, min((int(scorer.facts["at_once"]) for scorer in up), default=1))
            copies = {
                product: max(
                    self._copies.get(product, self._copies.get("*", 1)),
                    math.ceil(self._busy.get(product, 0.0) / each),
                )
                for product in self._sizes
            }
            self._places = place(self._sizes, rooms, copies)


def _failed(reply: Reply) -> BadBank | LoadFailed:
    """Why a scorer did not load a version."""
    refusal = refusal_of(reply["refusal"])
    if reply["damaged"]:
        return BadBank(refusal.detail)
    return LoadFailed(
        refusal.status, refusal.code, refusal.detail, headers=refusal.headers, extra=refusal.extra
    )


def _process(facts: Reply) -> tuple[Any, Any]:
    """Which process told this."""
    return facts["host"], facts["pid"]


def _timed(result: PartResult, started: float) -> PartResult:
    """The result with one stage more: the milliseconds on the way, and of waiting at the scorer."""
    spent = 1000 * (time.perf_counter() - started)
    return replace(
        result, timings_ms={"cluster": spent - sum(result.timings_ms.values()), **result.timings_ms}
    )
