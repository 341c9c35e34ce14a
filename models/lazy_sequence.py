"""A sequence whose items are read when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

T = TypeVar("T", covariant=True)


class LazySequence(Sequence[T]):
    """`count` items, each read anew whenever it is asked for, so that memory never holds them all."""

    def __init__(self, count: int, read: Callable[[int], T]) -> None:
        """read: gives the item of a number from 0 to count - 1."""
        self._count = count
        self._read = read

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: Any) -> Any:
        """The item of a number from 0 on. Raises IndexError outside the sequence."""
        if not 0 <= index < self._count:
            raise IndexError(index)
        return self._read(index)
