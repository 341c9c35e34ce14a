"""Which scorers hold which product. A pure function: every front that knows the same finds the same places.

Rendezvous hashing (Thaler and Ravishankar 1998) with bounded loads (Mirrokni et al. 2018): each product has
an order of all scorers of its own, and takes the first ones that have room and not more than their share.
When a scorer comes or goes, few products move beside those that it takes or leaves.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping

SPARE = 0.2
"""Share of a scorer's memory that stays free: a new version is loaded beside the version in use."""
ABOVE = 1.25
"""How much more than an even share of all banks a scorer may hold."""


def place(
    sizes: Mapping[str, int], rooms: Mapping[str, int | None], copies: Mapping[str, int]
) -> dict[str, tuple[str, ...]]:
    """The scorers of each product, the preferred one first; none where there is no scorer.

    A product that has room nowhere goes where the most memory is left: the scorer then unloads what was used
    longest ago.

    sizes: bytes of each product's banks.
    rooms: bytes of memory of each scorer; None for a scorer without a limit.
    copies: on how many scorers a product lies, where it is not one.
    """
    wanted = {name: min(max(1, copies.get(name, 1)), len(rooms)) for name in sizes}
    even = sum(max(1, sizes[name]) * wanted[name] for name in sizes) / max(1, len(rooms))
    memory = {name: math.inf if room is None else (1 - SPARE) * room for name, room in rooms.items()}
    share = dict.fromkeys(rooms, ABOVE * even)
    places: dict[str, tuple[str, ...]] = {}
    for product in sorted(sizes, key=lambda name: (-sizes[name], name)):
        size = max(1, sizes[product])

        def preference(scorer: str, product: str = product, size: int = size) -> tuple[object, ...]:
            """Scorers with memory first, of these the ones below their share, in the product's own order."""
            if memory[scorer] < size:
                return True, -memory[scorer]
            return False, 0.0 if share[scorer] >= size else -share[scorer], _rank(product, scorer)

        places[product] = tuple(sorted(rooms, key=preference)[: wanted[product]])
        for scorer in places[product]:
            memory[scorer] -= size
            share[scorer] -= size
    return places


def _rank(product: str, scorer: str) -> bytes:
    """A number of its own for each pair, the same in every process."""
    return hashlib.sha256(f"{product}\n{scorer}".encode()).digest()
