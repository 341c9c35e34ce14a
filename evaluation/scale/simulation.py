"""Parts through a fleet, event by event, in seconds of a clock that nobody waits for.

The same load, fleet, times and seed give the same outcome. A part takes the same seconds in every fleet.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import count

from evaluation.scale.device import Device, Part
from evaluation.scale.draws import stream
from evaluation.scale.fleet import BadFleet, Fleet
from evaluation.scale.load import Load
from evaluation.scale.outcome import Durations, Outcome
from evaluation.scale.placement import placement
from evaluation.scale.residents import Residents
from evaluation.scale.service_times import ServiceTimes


def simulate(
    load: Load, fleet: Fleet, times: ServiceTimes, *, seconds: float, takt_s: float = math.inf, seed: int = 0
) -> Outcome:
    """Send the load to the fleet for so many seconds.

    Products are loaded where they are placed, as far as memory goes, before the first part comes.
    times: of a part on a device. takt_s: a part is late if its answer takes longer.
    Raises BadFleet where a product is larger than a device's memory.
    """
    sizes = load.sizes_mb(seed)
    if max(sizes) > fleet.memory_mb:
        raise BadFleet(
            f"A product takes {max(sizes):.0f} MB, but a device has {fleet.memory_mb:.0f} MB for banks."
        )
    run = _Run(fleet, placement(sizes, fleet.devices, fleet.memory_mb, fleet.copies))
    run.devices = [
        Device(fleet, Residents(sizes, fleet.memory_mb), run.clock, run.later, run.answer)
        for _ in range(fleet.devices)
    ]
    run.fill()
    if fleet.dead:
        run.later(fleet.dead_at_s, run.kill)
    draw = stream("times", seed)
    parts = (Part(product, came, times.draw(draw)) for came, product in load.arrivals(seconds, seed))
    run.until(seconds, parts)
    return run.outcome(seconds, takt_s, load.part_mb)


@dataclass(slots=True)
class _Run:
    """The clock, the events that are to come, and what became of the parts."""

    fleet: Fleet
    placed: list[list[int]]
    devices: list[Device] = field(default_factory=list)
    now: float = 0.0
    arrived: int = 0
    refused: int = 0
    moved: int = 0
    in_work: int = 0
    most_in_work: int = 0
    done: list[tuple[float, float]] = field(default_factory=list)  # waiting and answer, seconds
    _events: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _order: count[int] = field(default_factory=count)

    def clock(self) -> float:
        return self.now

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        heapq.heappush(self._events, (self.now + seconds, next(self._order), call))

    def fill(self) -> None:
        """Load the products where they are placed, as far as they fit: first choices before second ones."""
        for choice in range(self.fleet.copies):
            for product, numbers in enumerate(self.placed):
                residents = self.devices[numbers[choice]].residents
                if residents.fits(product):
                    residents.admit(product, lambda _: True)

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
        self.arrived += 1
        device = self._device_for(part.product)
        if device.work >= self.fleet.places:
            self.refused += 1
            return
        self.in_work += 1
        self.most_in_work = max(self.most_in_work, self.in_work)
        device.take(part)

    def _device_for(self, product: int) -> Device:
        """The device of the product that runs and has the fewest parts; a dead one where none runs."""
        return min(
            (self.devices[number] for number in self.placed[product]),
            key=lambda device: (not device.alive, device.work),
        )

    def kill(self) -> None:
        """The first devices die at once. Their parts go to other devices of their products, or wait."""
        dying = self.devices[: self.fleet.dead]
        lost = [(device, device.die()) for device in dying]
        for device, parts in lost:
            for part in parts:
                other = self._device_for(part.product)
                self.moved += other.alive
                (other if other.alive else device).take(part)

    def answer(self, part: Part) -> None:
        self.in_work -= 1
        began = part.began if part.began is not None else self.now
        self.done.append((began - part.came, self.now - part.came))

    def outcome(self, seconds: float, takt_s: float, part_mb: float) -> Outcome:
        left = [part for device in self.devices for part in device.waiting()]
        for device in self.devices:
            device.count_begun()
        waited = [(seconds if part.began is None else part.began) - part.came for part in left]
        ages = [seconds - part.came for part in left]
        answers = [answer for _, answer in self.done] + ages
        capacity = seconds * self.fleet.devices * self.fleet.at_once
        return Outcome(
            seconds=seconds,
            arrived=self.arrived,
            answered=len(self.done),
            refused=self.refused,
            in_work=len(left),
            moved=self.moved,
            late=sum(answer > takt_s for answer in answers),
            utilisation=sum(device.busy_s for device in self.devices) / capacity,
            waiting_s=Durations.of([wait for wait, _ in self.done] + waited),
            answer_s=Durations.of(answers),
            loads=sum(device.loads for device in self.devices),
            most_mb=max(device.residents.most_mb for device in self.devices),
            all_mb=sum(device.residents.most_mb for device in self.devices),
            parts_mb=part_mb * self.most_in_work,
        )
