"""A front before three devices. What they begin ends when the test says so."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from evaluation.scale.device import Device, Part
from evaluation.scale.fleet import Fleet
from evaluation.scale.front import BUSY_S, Front
from evaluation.scale.residents import Residents
from service.cluster import fleet as cluster


class Desk:
    """A front whose product 0 wants three devices in their order."""

    def __init__(self, *, copies: int, loaded: tuple[int, ...]) -> None:
        self.now = 0.0
        self._calls: list[Callable[[], None]] = []
        fleet = Fleet(3, memory_mb=1.0, copies=copies)
        self.devices = [
            Device(fleet, Residents([1.0], 1.0), lambda: self.now, self._later, lambda *_: None)
            for _ in range(3)
        ]
        for number in loaded:
            self.devices[number].residents.admit(0, lambda _: True)
        self.front = Front([[0, 1, 2]], self.devices, copies, lambda: self.now)

    def _later(self, _: float, call: Callable[[], None]) -> None:
        self._calls.append(call)

    def finish(self) -> None:
        """What was begun so far ends: loads, restarts, parts in work."""
        calls, self._calls = self._calls, []
        for call in calls:
            call()

    def send(self, parts: int = 1) -> list[int]:
        """Send parts. Returns the numbers of their devices."""
        numbers: list[int] = []
        for _ in range(parts):
            device = self.front.device_for(0)
            self.front.took(0)
            device.take(Part(0, self.now, 1.0))
            numbers.append(self.devices.index(device))
        return numbers

    def loading(self) -> list[int]:
        """The devices that load the product, or have it."""
        return [number for number, device in enumerate(self.devices) if 0 in device.residents]


def test_a_product_is_busy_for_as_long_as_in_the_cluster() -> None:
    assert BUSY_S == cluster._BUSY_S


def test_a_part_goes_to_the_device_with_the_fewest_parts_that_holds_its_product() -> None:
    assert Desk(copies=1, loaded=(0,)).send(3) == [0, 0, 0]
    assert Desk(copies=2, loaded=(0, 1)).send(4) == [0, 1, 0, 1]


def test_a_device_that_should_hold_the_product_loads_it_while_another_one_scores() -> None:
    desk = Desk(copies=2, loaded=(1,))
    assert desk.send(3) == [1, 1, 1]
    assert desk.loading() == [0, 1]


def test_a_part_whose_product_nobody_holds_waits_for_its_first_choice() -> None:
    desk = Desk(copies=1, loaded=())
    assert desk.send(2) == [0, 0]
    assert desk.loading() == [0]


def test_a_product_with_many_parts_in_work_gets_more_devices_and_fewer_again() -> None:
    desk = Desk(copies=1, loaded=(0,))
    desk.send(2)
    assert desk.loading() == [0]
    desk.now = BUSY_S  # on average, 2 * (1 - 1/e) = 1.26 parts were in work
    assert desk.send() == [0]
    assert desk.loading() == [0, 1]
    for _ in range(3):
        desk.front.answered(0)
    desk.now = 10 * BUSY_S
    assert desk.send(2) == [0, 0]


@pytest.mark.parametrize(("dead", "taking"), [((0,), 1), ((0, 1), 2), ((0, 1, 2), 0)])
def test_parts_of_dead_devices_go_to_the_next_choice_that_runs(dead: tuple[int, ...], taking: int) -> None:
    desk = Desk(copies=1, loaded=(0,))
    for number in dead:
        desk.devices[number].die()
    assert desk.send(2) == [taking, taking]


def test_a_product_stays_where_it_is_until_its_restarted_first_choice_has_loaded_it() -> None:
    desk = Desk(copies=1, loaded=(0,))
    desk.devices[0].die()
    assert desk.send() == [1]
    desk.finish()
    assert desk.send() == [1]
    assert desk.loading() == [0, 1]
    desk.finish()
    assert desk.send() == [0]
