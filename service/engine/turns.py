"""One queue per product. The products take turns, so that many parts of one product do not delay another
product's part."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Turns(Generic[_T]):
    """First come, first served within a product; the products take turns. Not thread-safe."""

    def __init__(self) -> None:
        self._queues: OrderedDict[str, deque[_T]] = OrderedDict()

    def __bool__(self) -> bool:
        return bool(self._queues)

    def add(self, product: str, item: _T) -> None:
        """Put an item at the end of the product's queue."""
        self._queues.setdefault(product, deque()).append(item)

    def take(self) -> _T:
        """Remove the next item and return the item. Raises KeyError where no item waits."""
        product, queue = self._queues.popitem(last=False)
        item = queue.popleft()
        if queue:
            self._queues[product] = queue  # at the end: the other products' turns come first
        return item

    def clear(self) -> list[_T]:
        """Remove every item and return the items."""
        items = [item for queue in self._queues.values() for item in queue]
        self._queues.clear()
        return items
