from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest
import torch

from models.sample import Sample
from service.engine.detectors import Loaded, Residency
from service.refusals import DeadlinePassed, NotReady, Overloaded, Refusal, ScoringStopped, UnknownProduct
from tests.service.engine.conftest import Start, soon
from tests.waiting import until


def test_a_part_is_scored_after_the_warm_up(start: Start, loader: Any, detector: Any, sample: Sample) -> None:
    engine = start(loader)
    assert engine.not_ready() == []
    assert detector.warm_ups == 1
    scored = engine.submit("cookie", sample, deadline=soon()).result(60)
    assert scored.result.decision == "good"
    assert scored.detector is detector


def test_an_unknown_product_is_refused(start: Start, loader: Any, sample: Sample) -> None:
    with pytest.raises(UnknownProduct):
        start(loader).submit("biscuit", sample, deadline=soon())


def test_a_full_queue_refuses_at_once(start: Start, loader: Any, detector: Any, sample: Sample) -> None:
    entered, go_on = threading.Event(), threading.Event()
    detector.before = lambda: (entered.set(), go_on.wait(60))
    engine = start(loader, queue_size=2)
    first = engine.submit("cookie", sample, deadline=soon())
    assert entered.wait(60)
    waiting = [engine.submit("cookie", sample, deadline=soon()) for _ in range(2)]
    with pytest.raises(Overloaded) as caught:
        engine.submit("cookie", sample, deadline=soon())
    assert int(caught.value.headers["Retry-After"]) >= 1
    go_on.set()
    assert all(future.result(60) for future in [first, *waiting])


def test_late_and_cancelled_parts_cost_nothing(
    start: Start, loader: Any, detector: Any, sample: Sample
) -> None:
    entered, go_on, calls = threading.Event(), threading.Event(), []
    detector.before = lambda: (calls.append(1), entered.set(), go_on.wait(60))
    engine = start(loader)
    first = engine.submit("cookie", sample, deadline=soon())
    assert entered.wait(60)
    late = engine.submit("cookie", sample, deadline=time.monotonic())
    cancelled = engine.submit("cookie", sample, deadline=soon())
    assert cancelled.cancel()
    go_on.set()
    first.result(60)
    with pytest.raises(DeadlinePassed):
        late.result(60)
    engine.submit("cookie", sample, deadline=soon()).result(60)
    assert len(calls) == 2


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_dead_owner_fails_what_waits_and_is_not_ready(
    start: Start, loader: Any, detector: Any, sample: Sample
) -> None:
    entered, go_on = threading.Event(), threading.Event()

    def die() -> None:
        entered.set()
        go_on.wait(60)
        raise SystemExit

    detector.before = die
    engine = start(loader)
    futures = [engine.submit("cookie", sample, deadline=soon())]
    assert entered.wait(60)
    futures.append(engine.submit("cookie", sample, deadline=soon()))
    go_on.set()
    for future in futures:
        with pytest.raises(NotReady):
            future.result(60)
    assert "Restart" in engine.not_ready()[0]
    with pytest.raises(NotReady):
        engine.submit("cookie", sample, deadline=soon())


def test_a_hung_owner_fails_what_waits_and_is_not_ready(
    start: Start, loader: Any, detector: Any, sample: Sample
) -> None:
    go_on = threading.Event()
    detector.before = lambda: go_on.wait(60)
    engine = start(loader, stuck_s=0.2)
    futures = [engine.submit("cookie", sample, deadline=soon()) for _ in range(2)]
    assert engine.alive()
    until(lambda: not engine.alive(), "the owner that is given up")
    for future in futures:
        with pytest.raises(ScoringStopped):
            future.result(0)
    assert "Restart" in engine.not_ready()[0]
    with pytest.raises(NotReady):
        engine.submit("cookie", sample, deadline=soon())
    go_on.set()  # what comes late is told to nobody


def test_an_idle_owner_does_not_hang(start: Start, loader: Any, sample: Sample) -> None:
    engine = start(loader, stuck_s=0.2)
    engine.submit("cookie", sample, deadline=soon()).result(60)
    time.sleep(0.3)
    assert engine.alive()


@pytest.mark.parametrize(
    "error",
    [
        torch.cuda.OutOfMemoryError(),
        RuntimeError("Error in virtual void* faiss::gpu::StandardGpuResourcesImpl::allocMemory: alloc fail"),
        RuntimeError("CUDA error: out of memory"),
    ],
)
def test_a_full_device_gets_a_second_try_and_ends_nothing(
    start: Start, loader: Any, detector: Any, sample: Sample, error: RuntimeError
) -> None:
    """With the error alone, on a CPU: that room is made on a GPU is not tried here."""
    tries: list[int] = []

    def full(times: int) -> None:
        tries.append(1)
        if len(tries) <= times:
            raise error

    engine = start(loader)
    detector.before = lambda: full(1)
    assert engine.submit("cookie", sample, deadline=soon()).result(60)
    tries.clear()
    detector.before = lambda: full(2)
    with pytest.raises(NotReady) as caught:
        engine.submit("cookie", sample, deadline=soon()).result(60)
    assert (caught.value.status, caught.value.code) == (503, "device_full")
    assert "Retry-After" in caught.value.headers
    assert engine.submit("cookie", sample, deadline=soon()).result(60)
    assert detector.warm_ups == 1


def test_one_part_that_fails_does_not_end_the_service(
    start: Start, loader: Any, detector: Any, sample: Sample
) -> None:
    def fail() -> None:
        raise RuntimeError("this part only")

    detector.before = fail
    engine = start(loader)
    with pytest.raises(Refusal) as caught:
        engine.submit("cookie", sample, deadline=soon()).result(60)
    assert (caught.value.status, caught.value.code) == (500, "scoring_failed")
    detector.before = lambda: None
    assert engine.submit("cookie", sample, deadline=soon()).result(60)
    assert detector.warm_ups == 2


def test_a_device_that_fails_its_warm_up_ends_the_service(
    start: Start, loader: Any, detector: Any, sample: Sample
) -> None:
    def fail() -> None:
        raise RuntimeError("device lost")

    engine = start(loader)
    detector.before = detector.warm_up = fail
    with pytest.raises(NotReady):  # not a fault of the part's
        engine.submit("cookie", sample, deadline=soon()).result(60)
    engine.close(5)
    assert engine.not_ready()


class HalfBroken:
    """A loader with a second product, which cannot be loaded."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader
        loader.actives["broken"] = "v1"

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def load(self, product: str, version: str | None = None) -> Loaded:
        if product == "broken":
            raise RuntimeError("/a/path/that/nobody/shall/see")
        return self._loader.load(product, version)


def test_one_broken_bank_does_not_keep_the_others_from_serving(
    start: Start, loader: Any, sample: Sample
) -> None:
    engine = start(HalfBroken(loader))
    assert engine.not_ready() == []
    broken = engine.products()["broken"]
    assert broken.state == "failed"
    assert "/a/path" not in broken.note
    assert engine.submit("cookie", sample, deadline=soon()).result(60)
    with pytest.raises(NotReady):
        engine.submit("broken", sample, deadline=soon())


class Only(HalfBroken):
    """A loader of nothing but a product that cannot be loaded."""

    def products(self) -> list[str]:
        return ["broken"]


def test_where_no_product_can_be_scored_it_is_not_ready(start: Start, loader: Any) -> None:
    (reason,) = start(Only(loader)).not_ready()
    assert reason.startswith("broken:")
    assert "/a/path" not in reason


def test_it_is_ready_with_the_first_bank(start: Start, make_detector: Any, make_loader: Any) -> None:
    go_on = threading.Event()
    later = make_detector("later")
    later.warm_up = lambda: go_on.wait(60)
    engine = start(make_loader(make_detector("cookie"), later), wait=False)
    try:
        until(lambda: engine.not_ready() == [], "the first bank")
        assert not engine.residents.settled
        assert engine.products()["later"].state == "loading"
        with pytest.raises(NotReady):
            engine.check("later")
    finally:
        go_on.set()


def test_products_take_turns(start: Start, make_detector: Any, make_loader: Any, sample: Sample) -> None:
    fast, slow = make_detector("fast"), make_detector("slow")
    entered, go_on, order = threading.Event(), threading.Event(), []
    fast.before = lambda: (entered.set(), go_on.wait(30), order.append("fast"))
    slow.before = lambda: order.append("slow")
    engine = start(make_loader(fast, slow), queue_size=4)
    futures = [engine.submit("fast", sample, deadline=soon())]
    assert entered.wait(30)
    futures += [engine.submit("fast", sample, deadline=soon()) for _ in range(4)]
    with pytest.raises(Overloaded):
        engine.submit("fast", sample, deadline=soon())
    futures.append(engine.submit("slow", sample, deadline=soon()))  # it holds no place, so it finds one
    with pytest.raises(Overloaded):
        engine.submit("slow", sample, deadline=soon())
    go_on.set()
    for future in futures:
        future.result(30)
    assert order == ["fast", "fast", "slow", "fast", "fast", "fast"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_loader_that_dies_ends_the_service(start: Start, loader: Any) -> None:
    engine = start(loader, residency=Residency(poll_s=0.01))

    def die() -> list[str]:
        raise SystemExit

    loader.products = die
    until(lambda: not engine.alive(), "the loader that is missed")
    assert engine.not_ready()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_order_that_ends_its_thread_is_answered(start: Start, loader: Any) -> None:
    engine = start(loader)

    def die() -> None:
        raise SystemExit

    with pytest.raises(ScoringStopped):
        engine.residents.activate("cookie", "v1", die).result(30)
    until(lambda: not engine.alive(), "the thread that is missed")


def test_draining_finishes_what_waits(start: Start, loader: Any, detector: Any, sample: Sample) -> None:
    entered, go_on = threading.Event(), threading.Event()
    detector.before = lambda: (entered.set(), go_on.wait(60))
    engine = start(loader)
    futures = [engine.submit("cookie", sample, deadline=soon()) for _ in range(2)]
    assert entered.wait(60)
    engine.drain()
    with pytest.raises(NotReady):
        engine.check("cookie")
    assert engine.not_ready()
    futures.append(engine.submit("cookie", sample, deadline=soon()))  # was let in before: its body has come
    go_on.set()
    engine.close(5)
    assert all(future.result(0) for future in futures)


@pytest.mark.parametrize("shared", [True, False])
def test_a_part_is_scored_again_where_another_server_activated_a_version_meanwhile(
    start: Start, make_detector: Any, make_loader: Any, sample: Sample, shared: bool
) -> None:
    """Only where other servers may do so: one server alone lets the part's version finish."""
    first, second = make_detector(version="v1"), make_detector(version="v2")
    loader = make_loader(first, second)
    loader.shared = shared
    calls: list[str] = []

    def activate_elsewhere() -> None:
        calls.append("v1")
        loader.actives["cookie"] = "v2"

    first.before = activate_elsewhere
    engine = start(loader, residency=Residency(poll_s=1000.0))
    scored = asyncio.run(engine.score("cookie", sample, deadline=soon()))
    assert calls == ["v1"]
    assert scored.detector.version == ("v2" if shared else "v1")


def test_a_refusal_of_a_process_that_scores_for_this_one_is_the_part_s(
    start: Start, loader: Any, detector: Any, sample: Sample
) -> None:
    def refuse() -> None:
        raise NotReady("no_scorer", "None answers.")

    detector.before = refuse
    engine = start(loader)
    with pytest.raises(NotReady, match="None answers"):
        engine.submit("cookie", sample, deadline=soon()).result(60)
    assert engine.alive()
