"""When each product was used last: the product used last is loaded first and unloaded last."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence, Set


class LastUse:
    """The time of each product's last use. Any thread may call the methods."""

    def __init__(self) -> None:
        self._times: dict[str, float] = {}

    def begin(self, recent: Sequence[str]) -> None:
        """Say which products were used before the start, the product used last first."""
        for place, product in enumerate(recent, start=1):
            self._times.setdefault(product, -float(place))  # a time of this run is above 0

    def note(self, product: str) -> None:
        """The product is used now."""
        self._times[product] = time.monotonic()

    def oldest(self, products: Iterable[str]) -> str:
        """The product that was used longest ago, or never. Raises ValueError without a product."""
        return min(products, key=self._time)

    def newest_first(self, products: Iterable[str], *, before: Set[str]) -> list[str]:
        """The products, the one used last first; those never used at the end, by name.

        before: products that come before all others.
        """
        return sorted(products, key=lambda name: (name not in before, -self._time(name), name))

    def _time(self, product: str) -> float:
        return self._times.get(product, -math.inf)
