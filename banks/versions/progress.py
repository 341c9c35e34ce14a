"""How work that takes long reports its progress."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Called again and again while a stage runs."""

    def __call__(self, stage: str, done: int, total: int, note: str = "", /) -> None:
        """`done` steps of the `total` steps of a stage are done. note: more to show, such as a loss."""
        ...


def silent(stage: str, done: int, total: int, note: str = "") -> None:
    """Report nothing."""
