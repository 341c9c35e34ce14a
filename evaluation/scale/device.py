"""One device of the simulation: parts that wait for their product, parts that wait for their turn, parts in
work."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from evaluation.scale.fleet import Fleet
from evaluation.scale.residents import Residents

LOADS_AT_ONCE = 2
"""As `service/engine/orders.py` does it. Scoring goes on beside loads."""

Later = Callable[[float, Callable[[], None]], None]
"""Asks the simulation to make a call in so many seconds."""


@dataclass(slots=True)
class Part:
    """A part in work. Times in seconds since the start.

    came: when it arrived. seconds: that it is scored. began: when a device began to score it.
    """

    product: int
    came: float
    seconds: float
    began: float | None = None


@dataclass(slots=True)
class Device:
    """A device and its one scorer.

    Attributes:
        now: the simulation's clock, seconds.
        later: makes a call later.
        answered: called with each part that is scored, and the seconds that it waited.
        work: number of parts that wait or are scored.
        busy_s: seconds of scoring, of all parts together.
        loads: products that were loaded.
        alive: whether the device runs.
    """

    fleet: Fleet
    residents: Residents
    now: Callable[[], float]
    later: Later
    answered: Callable[[Part, float], None]
    work: int = 0
    busy_s: float = 0.0
    loads: int = 0
    alive: bool = True
    _parts: dict[int, int] = field(default_factory=dict)  # parts here, by product
    _unloaded: dict[int, list[Part]] = field(default_factory=dict)  # parts that wait for their product
    _turns: OrderedDict[int, deque[Part]] = field(default_factory=OrderedDict)  # as service/engine/turns.py
    _scored: list[Part] = field(default_factory=list)
    _orders: deque[int] = field(default_factory=deque)  # products to load
    _loading: set[int] = field(default_factory=set)
    _life: int = 0  # what was begun in an earlier life never ends

    def holds(self, product: int) -> bool:
        """Whether the product is loaded."""
        return product in self.residents and product not in self._loading

    def want(self, product: int) -> None:
        """Load a product, unless it is loaded or will be."""
        if product not in self._unloaded and not self.holds(product):
            self._unloaded[product] = []
            self._orders.append(product)
            self._load()

    def take(self, part: Part) -> None:
        """A part arrives. A dead device keeps it until it runs again."""
        self.work += 1
        self._parts[part.product] = self._parts.get(part.product, 0) + 1
        if self.holds(part.product):
            self._queue(part)
            self._score()
            return
        self.want(part.product)
        self._unloaded[part.product].append(part)

    def waiting(self) -> Sequence[Part]:
        """The parts that are not answered, those in work included."""
        waiting = [part for parts in self._unloaded.values() for part in parts]
        return [*self._scored, *(part for queue in self._turns.values() for part in queue), *waiting]

    def die(self) -> Sequence[Part]:
        """The device dies and restarts later. Returns its parts, which it no longer has."""
        parts = self.waiting()
        self.count_begun()
        self.alive = False
        self.work = 0
        self._life += 1
        self.residents.clear()
        for held in (self._parts, self._unloaded, self._turns, self._scored, self._orders, self._loading):
            held.clear()
        self.later(self.fleet.restart_s, self._restart)
        for part in parts:
            part.began = None
        return parts

    def count_begun(self) -> None:
        """Count the seconds of the parts in work so far: they end no more."""
        self.busy_s += sum(self.now() - part.began for part in self._scored if part.began is not None)

    def _restart(self) -> None:
        self.alive = True
        self._load()

    def _queue(self, part: Part) -> None:
        self._turns.setdefault(part.product, deque()).append(part)

    def _score(self) -> None:
        """Begin with the next parts: the products take turns."""
        while self._turns and len(self._scored) < self.fleet.at_once:
            product, queue = self._turns.popitem(last=False)
            part = queue.popleft()
            if queue:
                self._turns[product] = queue
            part.began = self.now()
            self.residents.use(product)
            self._scored.append(part)
            waited = part.began - part.came
            self._in_this_life(part.seconds, lambda part=part, waited=waited: self._end(part, waited))

    def _end(self, part: Part, waited: float) -> None:
        self._scored.remove(part)
        self.busy_s += part.seconds
        self.work -= 1
        self._parts[part.product] -= 1
        self.answered(part, waited)
        self._score()
        if self._orders:  # the part's product may be idle now, and leave
            self._load()

    def _load(self) -> None:
        """Begin with the next loads, where there is room for their products."""
        while self.alive and self._orders and len(self._loading) < LOADS_AT_ONCE:
            product = self._orders[0]
            if not self.residents.admit(product, self._busy):
                return
            self._orders.popleft()
            self._loading.add(product)
            self._in_this_life(self.fleet.load_s, lambda product=product: self._loaded(product))

    def _busy(self, product: int) -> bool:
        return product in self._loading or self._parts.get(product, 0) > 0

    def _loaded(self, product: int) -> None:
        self.loads += 1
        self._loading.discard(product)
        for part in self._unloaded.pop(product):
            self._queue(part)
        self._score()
        self._load()

    def _in_this_life(self, seconds: float, call: Callable[[], None]) -> None:
        life = self._life
        self.later(seconds, lambda: call() if life == self._life else None)
