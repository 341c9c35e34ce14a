"""One device, with a clock that the test moves."""

from __future__ import annotations

import heapq
from collections.abc import Callable

from evaluation.scale.device import LOADS_AT_ONCE, Device, Part
from evaluation.scale.fleet import Fleet
from evaluation.scale.residents import Residents
from service.engine.orders import THREADS


class Bench:
    """A device with one product of 1 MB in each place of its memory, and what it answered."""

    def __init__(self, fleet: Fleet, products: int, loaded: int) -> None:
        self.now = 0.0
        self.answers: list[tuple[float, int]] = []
        self.waits: list[float] = []
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        residents = Residents([1.0] * products, fleet.memory_mb)
        for product in range(loaded):
            residents.admit(product, lambda _: True)
        self.device = Device(fleet, residents, lambda: self.now, self._later, self._answered)

    def _later(self, seconds: float, call: Callable[[], None]) -> None:
        heapq.heappush(self._events, (self.now + seconds, len(self._events), call))

    def _answered(self, part: Part, waited: float) -> None:
        self.answers.append((self.now, part.product))
        self.waits.append(waited)

    def send(self, *products: int, seconds: float = 1.0) -> None:
        for product in products:
            self.device.take(Part(product, self.now, seconds))

    def until(self, second: float) -> None:
        while self._events and self._events[0][0] <= second:
            self.now, _, call = heapq.heappop(self._events)
            call()
        self.now = second


def test_products_take_turns() -> None:
    bench = Bench(Fleet(1, memory_mb=2.0), products=2, loaded=2)
    bench.send(0, 0, 0, 1)
    bench.until(10.0)
    assert bench.answers == [(1.0, 0), (2.0, 0), (3.0, 1), (4.0, 0)]
    assert (bench.device.work, bench.device.busy_s) == (0, 4.0)


def test_a_device_scores_as_many_parts_at_once_as_it_can() -> None:
    bench = Bench(Fleet(1, at_once=2), products=1, loaded=1)
    bench.send(0, 0, 0)
    bench.until(10.0)
    assert bench.answers == [(1.0, 0), (1.0, 0), (2.0, 0)]
    assert bench.waits == [0.0, 0.0, 1.0]


def test_a_part_waits_for_its_product_while_others_are_scored() -> None:
    bench = Bench(Fleet(1, memory_mb=2.0, load_s=2.5), products=2, loaded=1)
    bench.send(1, 0, 1, 0)
    bench.until(10.0)
    assert bench.answers == [(1.0, 0), (2.0, 0), (3.5, 1), (4.5, 1)]
    assert bench.device.loads == 1


def test_a_product_that_is_wanted_is_loaded_once_before_its_first_part() -> None:
    bench = Bench(Fleet(1, memory_mb=2.0, load_s=2.0), products=2, loaded=1)
    for product in (0, 1, 1):
        bench.device.want(product)
    bench.until(1.0)
    assert (bench.device.holds(0), bench.device.holds(1)) == (True, False)
    bench.send(1)
    bench.until(10.0)
    assert bench.answers == [(3.0, 1)]
    assert bench.device.loads == 1


def test_two_products_are_loaded_at_once_and_a_third_one_after_them() -> None:
    assert LOADS_AT_ONCE == THREADS == 2
    bench = Bench(Fleet(1, memory_mb=3.0, load_s=10.0), products=3, loaded=0)
    bench.send(0, 1, 2)
    bench.until(30.0)
    assert bench.answers == [(11.0, 0), (12.0, 1), (21.0, 2)]


def test_a_product_waits_until_another_one_is_idle_and_leaves() -> None:
    bench = Bench(Fleet(1, memory_mb=1.0, load_s=2.0), products=2, loaded=1)
    bench.send(0, 1, 0)
    bench.until(10.0)
    assert bench.answers == [(1.0, 0), (2.0, 0), (5.0, 1)]
    assert 0 not in bench.device.residents


def test_a_dead_device_gives_its_parts_back_and_begins_with_empty_memory() -> None:
    bench = Bench(Fleet(1, memory_mb=2.0, load_s=2.0, restart_s=10.0), products=2, loaded=1)
    bench.send(0, 0, 1)
    bench.until(0.5)
    parts = bench.device.die()
    assert sorted(part.product for part in parts) == [0, 0, 1]
    assert (bench.device.alive, bench.device.work, bench.device.residents.taken_mb) == (False, 0, 0.0)
    assert bench.device.busy_s == 0.5
    for part in parts:
        bench.device.take(part)
    bench.until(30.0)
    assert bench.answers == [(13.5, 0), (14.5, 0), (15.5, 1)]
    assert bench.device.loads == 2
