"""Where products lie: rendezvous hashing, bounded by memory and by an even share, as the cluster does it
(`service/cluster/placement.py`).

Each product ranks all devices by a hash of its own, and takes the first ones that have room. A device more or
less moves few products.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence

SPARE = 0.2
"""Share of a device's memory that stays free: a new version is loaded beside the version in use."""
ABOVE = 1.25
"""How much more than an even share of all banks a device may hold."""


def ranking(product: int, devices: int) -> list[int]:
    """The numbers of all devices, the product's first choice first. A further device changes nothing in the
    order of the others."""
    weights = struct.unpack(f"<{devices}I", hashlib.shake_128(b"%d" % product).digest(4 * devices))
    return sorted(range(devices), key=weights.__getitem__)


def placement(sizes_mb: Sequence[float], devices: int, memory_mb: float, copies: int) -> list[list[int]]:
    """All devices in the order in which each product wants them; the first `copies` of them are to hold it.

    sizes_mb: memory of each product. memory_mb: of one device. All products get one device before any gets a
    second one. A product that fits nowhere goes to its next choice, and shares the memory there with others
    in turn.
    """
    share = max(max(sizes_mb), ABOVE * copies * sum(sizes_mb) / devices)
    free = [min((1 - SPARE) * memory_mb, share)] * devices
    orders = [ranking(product, devices) for product in range(len(sizes_mb))]
    for copy in range(copies):
        for size, order in zip(sizes_mb, orders, strict=True):
            at = next((at for at in range(copy, devices) if free[order[at]] >= size), copy)
            if free[order[at]] >= size:
                free[order[at]] -= size
            order.insert(copy, order.pop(at))
    return orders
