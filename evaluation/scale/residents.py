"""Which products a device has in memory: the one used longest ago goes out when another needs the room."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence


class Residents:
    """The products in the memory of one device, the one used longest ago first."""

    def __init__(self, sizes_mb: Sequence[float], memory_mb: float) -> None:
        """sizes_mb: memory of each product. memory_mb: of the device."""
        self._sizes_mb = sizes_mb
        self._memory_mb = memory_mb
        self._held: OrderedDict[int, None] = OrderedDict()
        self.taken_mb = 0.0
        self.most_mb = 0.0
        """The most memory that was ever taken, MB."""

    def __contains__(self, product: int) -> bool:
        return product in self._held

    def use(self, product: int) -> None:
        """The product is used now."""
        self._held.move_to_end(product)

    def fits(self, product: int) -> bool:
        """Whether the product fits beside all others."""
        return self.taken_mb + self._sizes_mb[product] <= self._memory_mb

    def admit(self, product: int, busy: Callable[[int], bool]) -> bool:
        """Make room for a product and give it the room. False, and nothing changes, where too little is idle.

        busy: whether a product has parts in work, and so cannot go.
        """
        leaving: list[int] = []
        taken = self.taken_mb + self._sizes_mb[product]
        for other in self._held:
            if taken <= self._memory_mb:
                break
            if not busy(other):
                leaving.append(other)
                taken -= self._sizes_mb[other]
        if taken > self._memory_mb:
            return False
        for other in leaving:
            del self._held[other]
        self._held[product] = None
        self.taken_mb = taken
        self.most_mb = max(self.most_mb, taken)
        return True

    def clear(self) -> None:
        """The device died: its memory is empty."""
        self._held.clear()
        self.taken_mb = 0.0
