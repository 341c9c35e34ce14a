"""Parts through a fleet, event by event, in seconds of a clock that nobody waits for.

The same load, fleet, times and seed give the same outcome. A part takes the same seconds in every fleet.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterable, Sequence, Set
from itertools import count

from evaluation.scale.device import Device, Part
from evaluation.scale.draws import stream
from evaluation.scale.fleet import BadFleet, Fleet
from evaluation.scale.front import Front
from evaluation.scale.load import Load
from evaluation.scale.outcome import Durations, Outcome
from evaluation.scale.placement import placement
from evaluation.scale.residents import Residents
from evaluation.scale.service_times import ServiceTimes


def simulate(
    load: Load, fleet: Fleet, times: ServiceTimes, *, seconds: float, takt_s: float = math.inf, seed: int = 0
) -> Outcome:
    """Send the load to the fleet for so many seconds.

    Products are loaded before the first part comes: those that the lines make first, then others as far as
    memory goes.
    times: of a part on a device. takt_s: a part is late if its answer takes longer.
    Raises BadFleet where a product is larger than a device's memory.
    """
    sizes = load.sizes_mb(seed)
    if max(sizes) > fleet.memory_mb:
        raise BadFleet(
            f"A product takes {max(sizes):.0f} MB, but a device has {fleet.memory_mb:.0f} MB for banks."
        )
    orders = placement(sizes, fleet.devices, fleet.memory_mb, fleet.copies)
    run = _Run(fleet, sizes, orders)
    run.fill(orders, load.begins_with(seed))
    if fleet.dead:
        run.later(fleet.dead_at_s, run.kill)
    draw = stream("times", seed)
    parts = (Part(product, came, times.draw(draw)) for came, product in load.arrivals(seconds, seed))
    run.until(seconds, parts)
    return run.outcome(seconds, takt_s, load.part_mb)


class _Run:
    """The clock, the events that are to come, and what became of the parts."""

    def __init__(self, fleet: Fleet, sizes_mb: Sequence[float], orders: Sequence[Sequence[int]]) -> None:
        self.fleet = fleet
        self.now = 0.0
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        self._devices = [
            Device(fleet, Residents(sizes_mb, fleet.memory_mb), lambda: self.now, self.later, self._answered)
            for _ in range(fleet.devices)
        ]
        self._front = Front(orders, self._devices, fleet.copies, lambda: self.now)
        self._arrived = self._refused = self._moved = self._in_work = self._most_in_work = 0
        self._waits: list[float] = []
        self._answers: list[float] = []

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        """Make a call in so many seconds."""
        heapq.heappush(self._events, (self.now + seconds, next(self._order), call))

    def fill(self, orders: Sequence[Sequence[int]], first: Set[int]) -> None:
        """Load the products where they are placed, as far as they fit.

        first: products that are in use: they come before all others, and leave after all others.
        """
        for used in (True, False):
            for choice in range(self.fleet.copies):
                for product, order in enumerate(orders):
                    residents = self._devices[order[choice]].residents
                    if (product in first) == used and residents.fits(product):
                        residents.admit(product, lambda _: True)
        for product in first:
            for number in orders[product][: self.fleet.copies]:
                if product in self._devices[number].residents:
                    self._devices[number].residents.use(product)

    def until(self, seconds: float, parts: Iterable[Part]) -> None:
        """Let everything happen until then. parts: in the order of their arrival."""
        for part in parts:
            self._happen(part.came)
            self.now = part.came
            self._arrive(part)
        self._happen(seconds)
        self.now = seconds

    def _happen(self, until: float) -> None:
        """Let the events until then happen; an event comes before an arrival at the same moment."""
        while self._events and self._events[0][0] <= until:
            self.now, _, call = heapq.heappop(self._events)
            call()

    def _arrive(self, part: Part) -> None:
        self._arrived += 1
        device = self._front.device_for(part.product)
        if device.work >= self.fleet.places:
            self._refused += 1
            return
        self._in_work += 1
        self._most_in_work = max(self._most_in_work, self._in_work)
        self._front.took(part.product)
        device.take(part)

    def _answered(self, part: Part, waited: float) -> None:
        self._in_work -= 1
        self._front.answered(part.product)
        self._waits.append(waited)
        self._answers.append(self.now - part.came)

    def kill(self) -> None:
        """The first devices die at once. Other devices score their parts; where none runs, the parts wait."""
        lost = [part for device in self._devices[: self.fleet.dead] for part in device.die()]
        for part in lost:
            device = self._front.device_for(part.product)
            self._moved += device.alive
            device.take(part)

    def outcome(self, seconds: float, takt_s: float, part_mb: float) -> Outcome:
        """What happened in so many seconds. takt_s: as in `simulate`. part_mb: of one part in work, MB."""
        left = [part for device in self._devices for part in device.waiting()]
        for device in self._devices:
            device.count_begun()
        waits = [(seconds if part.began is None else part.began) - part.came for part in left]
        answers = self._answers + [seconds - part.came for part in left]
        capacity = seconds * self.fleet.devices * self.fleet.at_once
        return Outcome(
            seconds=seconds,
            arrived=self._arrived,
            answered=len(self._answers),
            refused=self._refused,
            in_work=len(left),
            moved=self._moved,
            late=sum(answer > takt_s for answer in answers),
            utilisation=sum(device.busy_s for device in self._devices) / capacity,
            waiting_s=Durations.of(self._waits + waits),
            answer_s=Durations.of(answers),
            loads=sum(device.loads for device in self._devices),
            most_mb=max(device.residents.most_mb for device in self._devices),
            all_mb=sum(device.residents.most_mb for device in self._devices),
            parts_mb=part_mb * self._most_in_work,
        )
