"""Versions that could not be loaded, and when one is worth another try."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass

AGAIN_S = 30.0
"""After this long a load is tried again whose failure says nothing about the version's files."""


@dataclass(frozen=True, slots=True)
class _Miss:
    stamp: Hashable
    again: float  # on the clock of time.monotonic


class Misses:
    """What was not loaded, by product and version (None: any version of it). One thread uses it.

    A damaged version is read again when its files change (each try reads all of them, for their sha256), any
    other failure also after a while.
    """

    def __init__(self, stamp: Callable[[str, str | None], Hashable], *, again_s: float = AGAIN_S) -> None:
        """stamp: changes whenever a version's files do."""
        self._stamp = stamp
        self._again_s = again_s
        self._missed: dict[tuple[str, str | None], _Miss] = {}

    def stamp(self, product: str, version: str | None) -> Hashable:
        """What the files are now. Take it before a load, so that what changes during it counts."""
        return self._stamp(product, version)

    def note(self, product: str, version: str | None, stamp: Hashable, *, files: bool) -> None:
        """The version was not loaded. files: because of its files."""
        again = float("inf") if files else time.monotonic() + self._again_s
        self._missed[product, version] = _Miss(stamp, again)

    def worth_a_try(self, product: str, version: str | None) -> bool:
        """Whether its files changed since it was missed, or enough time went by."""
        miss = self._missed.get((product, version))
        if miss is None:
            return True
        return time.monotonic() >= miss.again or self._stamp(product, version) != miss.stamp
