"""A front with scorers in this process: which scorer gets a part, and what happens when one is lost."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from banks.detector import Detector
from banks.versions.store import BadBank
from service.cluster import fleet as fleet_module
from service.cluster.calls import NoAnswer, ScorerGone
from service.cluster.fleet import Fleet, NoScorer
from service.cluster.scorer import Reply
from service.cluster.wire import calibration_json, pack_sample
from service.refusals import DeadlinePassed, LoadFailed, Refusal
from service.watch.logs import make_logger
from tests.service.cluster.kept import KEPT, PRODUCT, ScorersHere, kept_banks, kept_sample
from tests.waiting import until

PART = pack_sample(kept_sample())
CALIBRATION = calibration_json(Detector.load(KEPT / PRODUCT / "v1").calibration)
MIB = 1 << 20


class Front:
    """A fleet under test, and its log."""

    def __init__(self, calls: ScorersHere, copies: dict[str, int], patience_s: float) -> None:
        self.stream = io.StringIO()
        self.calls = calls
        self.fleet = Fleet(calls, copies=copies, patience_s=patience_s, logger=make_logger(self.stream))

    def score(self, product: str = PRODUCT, version: str = "v1") -> float:
        return self.fleet.score(product, version, CALIBRATION, PART).score

    def events(self) -> list[tuple[str, str]]:
        lines = [json.loads(line) for line in self.stream.getvalue().splitlines()]
        return [(line["event"], line.get("scorer", "")) for line in lines]

    def scored_by(self) -> list[str]:
        return [scorer for scorer, verb in self.calls.asked if verb == "score"]


@pytest.fixture
def calls(tmp_path: Path) -> Iterator[ScorersHere]:
    calls = ScorersHere(kept_banks(tmp_path / "banks", PRODUCT, "tile", versions=2), "ab")
    yield calls
    calls.close()


def _front(calls: ScorersHere, monkeypatch: pytest.MonkeyPatch, **options: object) -> Iterator[Front]:
    monkeypatch.setattr(fleet_module, "POLL_S", 0.05)
    monkeypatch.setattr(calls, "close", lambda: None)  # the fixture closes them
    front = Front(calls, options.get("copies", {}), options.get("patience_s", 60.0))  # type: ignore[arg-type]
    front.fleet.start()
    yield front
    front.fleet.close()


@pytest.fixture
def front(calls: ScorersHere, monkeypatch: pytest.MonkeyPatch) -> Iterator[Front]:
    with monkeypatch.context() as patched:
        yield from _front(calls, patched)


def test_a_product_has_its_scorer_and_every_part_goes_there(front: Front) -> None:
    assert front.fleet.not_ready() == []
    front.fleet.load(PRODUCT, "v1", MIB)
    (home,) = front.fleet.places()[PRODUCT]
    scores = {front.score() for _ in range(3)}
    assert len(scores) == 1
    assert front.scored_by() == [home] * 3
    assert [(one.name, one.up, one.in_work) for one in front.fleet.scorers()] == [
        ("a", True, 0),
        ("b", True, 0),
    ]


def test_a_lost_scorer_is_replaced_by_another_and_returns(front: Front) -> None:
    front.fleet.load(PRODUCT, "v1", MIB)
    (home,) = front.fleet.places()[PRODUCT]
    other = {"a": "b", "b": "a"}[home]
    before = front.score()
    front.calls.dead.add(home)
    assert front.score() == before
    assert front.scored_by() == [home, home, other]
    assert ("scorer_lost", home) in front.events()
    until(lambda: front.fleet.places()[PRODUCT] == (other,), "the product at the other scorer")
    front.calls.dead.clear()
    until(lambda: all(one.up for one in front.fleet.scorers()), "both scorers")
    assert front.score() == before


def test_a_scorer_that_is_back_before_anybody_missed_it_was_lost_all_the_same(front: Front) -> None:
    """A front looks once a second; Ray may start a scorer again sooner."""
    front.fleet.load(PRODUCT, "v1", MIB)
    (home,) = front.fleet.places()[PRODUCT]
    told = front.calls.facts
    front.calls.facts = lambda scorer, *, within_s: told(scorer, within_s=within_s) | {"pid": 1}
    until(lambda: ("scorer_lost", home) in front.events(), "a scorer that is another process")
    until(lambda: len(front.fleet.up()) == 2, "both scorers")
    assert front.events().count(("scorer_lost", home)) == 1
    assert front.events().count(("scorer_up", home)) == 2


def test_a_product_moves_back_only_once_its_scorer_has_it_in_memory(front: Front) -> None:
    front.fleet.load(PRODUCT, "v1", MIB)
    (home,) = front.fleet.places()[PRODUCT]
    front.calls.dead.add(home)
    front.score()
    state = next(one for one in front.fleet.scorers() if one.name == home)
    loading, go_on = threading.Event(), threading.Event()

    def slow(scorer: str, verb: str) -> None:
        if (scorer, verb) == (home, "load"):
            loading.set()
            assert go_on.wait(60)

    front.calls.before = slow
    front.calls.scorers[home]._engine.residents._served.clear()  # it was started again
    front.calls.dead.clear()
    until(lambda: state.up, "the scorer that was lost")
    # Products are placed again once all scorers have been asked, a moment later.
    until(lambda: front.score() and loading.is_set(), "the load at the scorer that was lost")
    assert front.scored_by()[-1] != home
    go_on.set()
    until(lambda: f"{PRODUCT}/v1" in state.versions, "the version in the memory of its scorer")
    front.score()
    assert front.scored_by()[-1] == home


def test_a_load_that_goes_on_does_not_hold_up_the_end_of_a_front(
    calls: ScorersHere, monkeypatch: pytest.MonkeyPatch
) -> None:
    loading = threading.Event()

    def load(scorer: str, product: str, version: str, *, gone: Callable[[], bool], within_s: float) -> Reply:
        loading.set()
        until(gone, "the end of the front", seconds=60)
        raise ScorerGone("it takes too long")

    monkeypatch.setattr(calls, "load", load)
    for front in _front(calls, monkeypatch):
        front.fleet._load_soon(front.fleet.scorers()[0], PRODUCT, "v1")
        assert loading.wait(60)
        front.fleet.close()
        assert not any(thread.name.startswith("tribank-loads") for thread in threading.enumerate())
        assert "scorer_lost" not in dict(front.events())


def test_without_any_scorer_a_part_waits_and_is_then_refused(
    calls: ScorersHere, monkeypatch: pytest.MonkeyPatch
) -> None:
    for front in _front(calls, monkeypatch, patience_s=0.5):
        front.fleet.load(PRODUCT, "v1", MIB)
        calls.dead.update("ab")
        with pytest.raises(NoScorer) as refused:
            front.score()
        assert (refused.value.status, refused.value.headers) == (503, {"Retry-After": "2"})
        assert len(front.fleet.not_ready()) == 1
        with pytest.raises(NoScorer):
            front.fleet.load("tile", "v1", MIB)


def test_a_refusal_of_a_scorer_is_the_front_s(front: Front) -> None:
    with pytest.raises(Refusal) as refused:
        front.fleet.load(PRODUCT, "v9", MIB)
    assert refused.value.code == "unknown_product"
    assert all(one.up for one in front.fleet.scorers())


def _refused(code: str, *, damaged: bool = False) -> Reply:
    told = {"status": 503, "code": code, "detail": code, "part": None, "headers": {}, "extra": {}}
    return {"refusal": told, "damaged": damaged}


def test_a_part_that_takes_too_long_costs_the_other_parts_no_scorer(
    calls: ScorersHere, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(*_: object, **__: object) -> Reply:
        raise NoAnswer("no answer within 0.3 s")

    for front in _front(calls, monkeypatch, copies={"*": 2}, patience_s=0.3):
        front.fleet.load(PRODUCT, "v1", MIB)
        monkeypatch.setattr(calls, "score", slow)
        with pytest.raises(DeadlinePassed):
            front.score()
        assert front.fleet.up() == {"a", "b"}
        assert "scorer_lost" not in dict(front.events())


def test_one_scorer_that_loads_a_version_is_enough(
    calls: ScorersHere, monkeypatch: pytest.MonkeyPatch
) -> None:
    replies: dict[str, Reply] = {"a": _refused("no_memory_for_bank"), "b": {}}

    def load(scorer: str, *_: object, **__: object) -> Reply:
        return replies[scorer]

    for front in _front(calls, monkeypatch, copies={"*": 2}):
        with monkeypatch.context() as patched:
            patched.setattr(calls, "load", load)
            front.fleet.load(PRODUCT, "v1", MIB)
            assert ("version_not_loaded", "a") in front.events()
            replies["b"] = _refused("bank_failed", damaged=True)
            with pytest.raises(LoadFailed) as refused:
                front.fleet.load(PRODUCT, "v1", MIB)
            assert refused.value.code == "no_memory_for_bank"
            replies["a"] = replies["b"]
            with pytest.raises(BadBank):
                front.fleet.load(PRODUCT, "v1", MIB)
            replies.update(a=_refused("not_running"), b={})
            front.fleet.load(PRODUCT, "v1", MIB)
            assert ("scorer_lost", "a") in front.events()


def test_copies_lie_on_several_scorers_and_share_the_parts(
    calls: ScorersHere, monkeypatch: pytest.MonkeyPatch
) -> None:
    for front in _front(calls, monkeypatch, copies={"*": 2, "tile": 1}):
        front.fleet.load("tile", "v1", MIB)
        assert len(front.fleet.places()["tile"]) == 1
        front.fleet.load(PRODUCT, "v1", MIB)
        assert sorted(front.fleet.places()[PRODUCT]) == ["a", "b"]
        inside = threading.Barrier(2)

        def meet(scorer: str, verb: str, inside: threading.Barrier = inside) -> None:
            if verb == "score":
                inside.wait(60)

        calls.before = meet
        threads = [threading.Thread(target=front.score) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert sorted(front.scored_by()) == ["a", "b"]


def test_a_busy_product_gets_a_second_scorer(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet_module, "_BUSY_S", 0.1)
    front.fleet.load(PRODUCT, "v1", MIB)
    go_on = threading.Event()

    def hold(scorer: str, verb: str) -> None:
        if verb == "score":
            assert go_on.wait(60)

    front.calls.before = hold
    threads = [threading.Thread(target=front.score) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        until(lambda: len(front.fleet.places()[PRODUCT]) == 2, "a second scorer")
    finally:
        go_on.set()
        for thread in threads:
            thread.join(60)
    until(lambda: len(front.fleet.places()[PRODUCT]) == 1, "one scorer again")
