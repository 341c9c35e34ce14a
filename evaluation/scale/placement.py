"""Which devices hold which product: rendezvous hashing, bounded by the devices' memory.

Each product ranks all devices by a hash of its own. It goes to the first device of its ranking that has room.
A device more or less moves few products.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

_BYTES = 4


def ranking(product: int, devices: int) -> list[int]:
    """The numbers of all devices, the product's first choice first. A further device changes nothing in the
    order of the others."""
    weights = hashlib.shake_128(b"%d" % product).digest(_BYTES * devices)
    return sorted(range(devices), key=lambda number: weights[_BYTES * number : _BYTES * (number + 1)])


def placement(sizes_mb: Sequence[float], devices: int, memory_mb: float, copies: int) -> list[list[int]]:
    """The devices of each product, its first choice first.

    sizes_mb: memory of each product. memory_mb: of one device. copies: devices for each product. All products
    get one device before any gets a second one. A product that fits nowhere goes to its next choice, and
    shares the memory there with others in turn.
    """
    free = [memory_mb] * devices
    rankings = [ranking(product, devices) for product in range(len(sizes_mb))]
    placed: list[list[int]] = [[] for _ in sizes_mb]
    for _ in range(copies):
        for size, ranked, own in zip(sizes_mb, rankings, placed, strict=True):
            others = [one for one in ranked if one not in own]
            chosen = next((one for one in others if free[one] >= size), others[0])
            if free[chosen] >= size:
                free[chosen] -= size
            own.append(chosen)
    return placed
