from __future__ import annotations

import threading
from typing import Any

import pytest

from models.numerics.process import threads_in_use
from models.sample import Sample
from service.engine.scorers import scorers_on
from service.refusals import NotReady
from tests.service.engine.conftest import Start, soon


def test_two_parts_are_scored_at_once_and_share_the_cores(
    start: Start, loader: Any, detector: Any, sample: Sample
) -> None:
    together, threads, cores = threading.Barrier(2), [], threads_in_use()
    detector.before = lambda: (together.wait(60), threads.append(threads_in_use()))
    engine = start(loader, scorers=2)
    parts = [engine.submit("cookie", sample, deadline=soon()) for _ in range(2)]
    assert all(part.result(60) for part in parts)
    assert min(threads) == max(1, cores // 2)
    assert threads_in_use() == cores  # here nothing changed


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_one_thread_that_dies_fails_what_the_others_work_on(
    start: Start, loader: Any, detector: Any, sample: Sample
) -> None:
    together, go_on, turns = threading.Barrier(2), threading.Event(), iter((True, False))

    def one_dies() -> None:
        together.wait(60)
        if next(turns):
            raise SystemExit
        go_on.wait(60)

    detector.before = one_dies
    engine = start(loader, scorers=2)
    parts = [engine.submit("cookie", sample, deadline=soon()) for _ in range(3)]
    for part in parts:
        with pytest.raises(NotReady):
            part.result(60)
    assert not engine.alive()
    go_on.set()


def test_what_waits_is_scored_before_the_end(
    start: Start, loader: Any, detector: Any, sample: Sample
) -> None:
    entered, go_on = threading.Semaphore(0), threading.Event()
    detector.before = lambda: (entered.release(), go_on.wait(60))
    engine = start(loader, scorers=2)
    parts = [engine.submit("cookie", sample, deadline=soon()) for _ in range(4)]
    assert entered.acquire(timeout=60)
    assert entered.acquire(timeout=60)
    closing = threading.Thread(target=engine.close, args=(60,))
    closing.start()
    go_on.set()
    closing.join(60)
    assert all(part.result(0) for part in parts)
    assert not engine.alive()


def test_a_gpu_scores_one_part_at_a_time() -> None:
    assert scorers_on("cuda", None) == scorers_on("cuda", 4) == 1
    assert scorers_on("cpu", 3) == 3
    assert scorers_on("cpu", None) == min(4, threads_in_use())
