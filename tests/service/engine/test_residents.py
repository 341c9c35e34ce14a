"""Banks come, go and change while parts are scored."""

from __future__ import annotations

import io
import json
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from models.sample import Sample
from service.engine.detectors import Loaded, Residency
from service.engine.owner import Engine
from service.refusals import NotReady, Refusal, UnknownProduct
from service.watch.logs import make_logger
from tests.waiting import until

Start = Callable[..., Engine]
FAST = 0.01


@pytest.fixture
def log() -> io.StringIO:
    """What the engines log."""
    return io.StringIO()


@pytest.fixture
def start(log: io.StringIO) -> Iterator[Start]:
    """Starts engines that look at disk all the time, and stops them afterwards."""
    engines: list[Engine] = []

    def start(loader: Any, **residency: Any) -> Engine:
        chosen = Residency(poll_s=residency.pop("poll_s", FAST), **residency)
        engine = Engine(loader, queue_size=8, logger=make_logger(log), residency=chosen)
        engines.append(engine)
        engine.start()
        until(lambda: engine.residents.settled, "an engine at rest")
        return engine

    yield start
    for engine in engines:
        engine.close(5)


def score(engine: Engine, sample: Sample, product: str = "cookie") -> Any:
    return engine.submit(product, sample, deadline=time.monotonic() + 60).result(60)


def serving(engine: Engine) -> str | None:
    detector = engine.products()["cookie"].detector
    return detector.version if detector else None


def in_memory(engine: Engine) -> set[str]:
    return {name for name, served in engine.products().items() if served.detector is not None}


@pytest.fixture
def two(make_detector: Any, make_loader: Any) -> Any:
    """A loader of one product with the versions v1 (active) and v2."""
    return make_loader(make_detector(version="v1"), make_detector(version="v2"))


def test_a_version_activated_on_disk_is_followed_and_the_old_one_kept(
    start: Start, two: Any, sample: Sample
) -> None:
    engine = start(two)
    assert score(engine, sample).detector.version == "v1"
    for version in ("v2", "v1", "v2"):
        two.actives["cookie"] = version
        until(lambda version=version: serving(engine) == version, f"{version} in service")
        assert score(engine, sample).detector.version == version
    assert two.loads == [("cookie", "v1"), ("cookie", "v2")], "a roll-back loads nothing"


def test_a_part_is_scored_by_the_version_it_was_admitted_with(
    start: Start, two: Any, make_detector: Any, make_loader: Any, sample: Sample
) -> None:
    first, second = make_detector(version="v1"), make_detector(version="v2")
    loader = make_loader(first, second)
    engine = start(loader)
    entered, go_on = threading.Event(), threading.Event()
    first.before = lambda: (entered.set(), go_on.wait(60))
    futures = [engine.submit("cookie", sample, deadline=time.monotonic() + 60) for _ in range(3)]
    assert entered.wait(60)
    activation = engine.residents.activate("cookie", "v2", lambda: None)
    time.sleep(5 * FAST)
    assert not activation.done(), "the warm-up waits for the part in work"
    go_on.set()
    loader.actives["cookie"] = "v2"
    assert activation.result(60).detector is second
    assert [future.result(60).detector.version for future in futures] == ["v1"] * 3
    assert score(engine, sample).detector is second


def test_a_version_that_cannot_be_served_changes_nothing(start: Start, two: Any, sample: Sample) -> None:
    engine, written = start(two), []
    with pytest.raises(Refusal):
        engine.residents.activate("cookie", "v9", lambda: written.append(1)).result(60)
    assert not written
    two.actives["cookie"] = "v9"  # as another process may do
    until(lambda: engine.products()["cookie"].note, "a note")
    assert score(engine, sample).detector.version == "v1"
    assert not engine.not_ready()
    loads = len(two.loads)
    time.sleep(5 * FAST)
    assert len(two.loads) == loads, "it is tried once"


@pytest.mark.parametrize("what", ["actives", "shadows"])
def test_a_version_that_was_missed_is_tried_again_when_its_files_change(
    start: Start, two: Any, make_detector: Any, log: io.StringIO, what: str
) -> None:
    engine = start(two)
    getattr(two, what)["cookie"] = "v9"

    def note() -> str:
        served = engine.products()["cookie"]
        return served.note or served.shadow_note

    until(note, "a note")
    assert engine.products()["cookie"].degraded == (what == "actives")
    two.add(make_detector(version="v9"))
    until(lambda: not note(), "no note")
    served = engine.products()["cookie"]
    found = served.detector if what == "actives" else served.shadow
    assert found is not None
    assert (found.version, served.degraded) == ("v9", False)
    events = [entry["event"] for entry in map(json.loads, log.getvalue().splitlines())]
    assert events.count("bank_not_served") == 1


def test_a_product_that_failed_is_tried_again_when_its_files_change(
    start: Start, make_detector: Any, make_loader: Any, sample: Sample
) -> None:
    loader = make_loader()
    loader.actives["cookie"] = "v1"
    engine = start(loader)
    assert engine.products()["cookie"].state == "failed"
    with pytest.raises(NotReady):
        score(engine, sample)
    loader.add(make_detector())
    until(lambda: serving(engine) == "v1", "v1 in service")
    assert score(engine, sample)


def test_products_appear_and_go(start: Start, make_detector: Any, make_loader: Any, sample: Sample) -> None:
    loader = make_loader(make_detector("cookie"), make_detector("tile"))
    del loader.actives["cookie"]
    engine = start(loader)
    with pytest.raises(UnknownProduct):
        score(engine, sample)
    loader.actives["cookie"] = "v1"
    until(lambda: "cookie" in in_memory(engine), "the product in memory")
    assert score(engine, sample)
    del loader.actives["cookie"]
    until(lambda: "cookie" not in engine.products(), "no such product")
    assert not engine.not_ready()


def test_a_lazy_bank_is_loaded_by_its_first_part(
    start: Start, make_detector: Any, make_loader: Any, sample: Sample
) -> None:
    loader = make_loader(make_detector("cookie"), make_detector("tile"))
    engine = start(loader, lazy=True, pinned=frozenset({"tile"}))
    assert loader.loads == [("tile", "v1")]
    assert engine.products()["cookie"].state == "idle"
    assert not engine.not_ready()
    futures = [engine.submit("cookie", sample, deadline=time.monotonic() + 60) for _ in range(3)]
    assert all(future.result(60) for future in futures)
    assert loader.loads.count(("cookie", "v1")) == 1


def test_what_was_used_last_is_unloaded_and_what_is_pinned_stays(
    start: Start, make_detector: Any, make_loader: Any, sample: Sample
) -> None:
    names = ["bag", "cookie", "tile", "tyre"]
    loader = make_loader(*map(make_detector, names))
    engine = start(loader, budget_bytes=2, pinned=frozenset({"bag"}))
    assert in_memory(engine) == {"bag", "cookie"}
    assert not engine.not_ready()
    for name in ("tile", "cookie", "tyre"):
        assert score(engine, sample, name).detector.product == name
        assert in_memory(engine) == {"bag", name}
        assert engine.residents.memory_bytes() == 2


def test_a_part_waits_for_the_memory_that_another_load_has(
    start: Start, make_detector: Any, make_loader: Any, sample: Sample
) -> None:
    """Three products are asked for at once, and there is room for one."""
    loader = make_loader(*map(make_detector, ("cookie", "tile", "tyre")))
    engine, go_on = start(loader, lazy=True, budget_bytes=1), threading.Event()
    load, most = loader.load, 0

    def slow(product: str, version: str | None = None) -> Loaded:
        nonlocal most
        assert product != "cookie" or go_on.wait(60)
        most = max(most, engine.residents.memory_bytes())
        return load(product, version)

    loader.load = slow
    deadline = time.monotonic() + 60
    first = engine.submit("cookie", sample, deadline=deadline)
    until(lambda: engine.residents.memory_bytes(), "a load")
    others = [engine.submit(product, sample, deadline=deadline) for product in ("tile", "tyre")]
    until(lambda: engine.residents._orders._held_up, "a load that waits")
    go_on.set()
    assert [scored.result(60).detector.product for scored in (first, *others)] == ["cookie", "tile", "tyre"]
    assert most == 1


def test_what_found_no_memory_at_the_moment_is_loaded_a_while_later(
    start: Start, make_detector: Any, make_loader: Any, sample: Sample
) -> None:
    loader = make_loader(make_detector("cookie"), make_detector("tile"))
    engine = start(loader, lazy=True, budget_bytes=1, pinned=frozenset({"cookie"}))
    engine.residents._failed_loads._retry_s = 0.0
    with pytest.raises(NotReady):
        score(engine, sample, "tile")
    del loader.actives["cookie"]
    until(lambda: in_memory(engine) == {"tile"}, "the product that found no memory")
    assert score(engine, sample, "tile")


def test_room_is_made_while_another_thread_keeps_a_version_for_a_rollback(
    start: Start, two: Any, make_detector: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    residents = start(two, poll_s=60).residents
    residents._spares.update({name: make_detector(name) for name in ("cap", "tile")})
    busy = residents._orders.busy

    def asked(product: str) -> bool:
        residents._spares["rope"] = make_detector("rope")
        return busy(product)

    monkeypatch.setattr(residents._orders, "busy", asked)
    residents._unload_oldest("cookie", "v2")
    assert len(residents._spares) == 2


def test_a_version_that_is_activated_again_has_the_threshold_that_was_moved_meanwhile(
    start: Start, two: Any
) -> None:
    engine, asked = start(two, poll_s=60), []

    def activate(version: str) -> None:
        write = partial(two.actives.update, cookie=version)
        engine.residents.activate("cookie", version, write).result(60)

    activate("v2")

    def calibration(detector: Any) -> Any:
        asked.append((detector.version, serving(engine)))
        return detector.calibration

    two.calibration = calibration
    activate("v1")
    assert asked[0] == ("v1", "v2"), "its threshold is read before it scores"


def test_what_does_not_fit_beside_the_rest_is_refused(start: Start, two: Any, sample: Sample) -> None:
    engine = start(two, budget_bytes=1)
    with pytest.raises(Refusal) as caught:
        engine.residents.activate("cookie", "v2", lambda: None).result(60)
    assert caught.value.status == 507
    assert score(engine, sample).detector.version == "v1"


def test_a_shadow_scores_when_no_part_waits(start: Start, two: Any, sample: Sample, log: io.StringIO) -> None:
    engine = start(two)
    two.shadows["cookie"] = "v2"
    until(lambda: engine.products()["cookie"].shadow, "a shadow")
    scored = score(engine, sample)
    assert scored.detector.version == "v1"
    assert scored.shadow.detector.version == "v2"
    assert scored.shadow.result.result(60).score == scored.result.score
    (line,) = [entry for entry in map(json.loads, log.getvalue().splitlines()) if "is_simulated" in entry]
    assert (line["bank_version"], line["agrees"]) == ("v2", True)
    scored.shadow.detector.before = lambda: 1 / 0
    with pytest.raises(ZeroDivisionError):
        score(engine, sample).shadow.result.result(60)
    del two.shadows["cookie"]
    until(lambda: engine.products()["cookie"].shadow is None, "no shadow")
    assert score(engine, sample).shadow is None


def test_a_stopping_service_fails_what_waits_for_a_load(
    start: Start, make_detector: Any, make_loader: Any, sample: Sample
) -> None:
    loader = make_loader(make_detector())
    engine = start(loader, lazy=True)
    entered, go_on = threading.Event(), threading.Event()
    load = loader.load

    def slow(product: str, version: str | None = None) -> Any:
        entered.set()
        go_on.wait(60)
        return load(product, version)

    loader.load = slow
    future = engine.submit("cookie", sample, deadline=time.monotonic() + 60)
    assert entered.wait(60)
    threading.Timer(0.1, go_on.set).start()
    engine.close(5)
    with pytest.raises(NotReady):
        future.result(60)
