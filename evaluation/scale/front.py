"""Which device scores a part, as a front of the cluster chooses it (`service/cluster/fleet.py`)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice

from evaluation.scale.device import Device

BUSY_S = 30.0
"""Over how long the parts in work of a product are averaged."""


@dataclass(slots=True)
class _Product:
    """What a front knows of a product.

    order: the devices in the order in which the product wants them.
    seen: how many of them were ever asked to hold it.
    in_work: its parts in work. busy: their average as it was at `since`, seconds.
    """

    order: list[Device]
    seen: int
    in_work: int = 0
    busy: float = 0.0
    since: float = 0.0


class Front:
    """Sends parts to devices. All fronts together are one here: it knows every part in work."""

    def __init__(
        self,
        orders: Sequence[Sequence[int]],
        devices: Sequence[Device],
        copies: int,
        now: Callable[[], float],
    ) -> None:
        """orders: of each product, as in `placement`. copies: devices that hold a product at least.
        now: the clock, seconds."""
        self._orders = orders
        self._devices = devices
        self._copies = copies
        self._now = now
        self._at_once = devices[0].fleet.at_once
        self._products: dict[int, _Product] = {}

    def device_for(self, product: int) -> Device:
        """The device for a part.

        It is the one with the fewest parts of those that hold the product, else of those that are to hold it.
        The others that are to hold it begin to load it. Where no device runs, it is the product's first
        choice, which then keeps the part.
        """
        known = self._known(product)
        wanted = max(self._copies, math.ceil(self._busy(known) / self._at_once))
        running = ((at, device) for at, device in enumerate(known.order) if device.alive)
        placed = list(islice(running, wanted))
        if not placed:
            return known.order[0]
        known.seen = max(known.seen, placed[-1][0] + 1)
        holders = [device for _, device in placed if device.holds(product)]
        holders = holders or [device for device in known.order[: known.seen] if device.holds(product)]
        chosen = min(holders or [device for _, device in placed], key=lambda device: device.work)
        for _, device in placed:
            if device is not chosen:
                device.want(product)
        return chosen

    def took(self, product: int) -> None:
        """A part of the product is in work from now on."""
        self._count(product, 1)

    def answered(self, product: int) -> None:
        """A part of the product is in work no more."""
        self._count(product, -1)

    def _count(self, product: int, more: int) -> None:
        known = self._known(product)
        known.busy, known.since = self._busy(known), self._now()
        known.in_work += more

    def _busy(self, known: _Product) -> float:
        faded = math.exp((known.since - self._now()) / BUSY_S)
        return known.in_work + (known.busy - known.in_work) * faded

    def _known(self, product: int) -> _Product:
        if product not in self._products:
            order = [self._devices[number] for number in self._orders[product]]
            self._products[product] = _Product(order, self._copies)
        return self._products[product]
