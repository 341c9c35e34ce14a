"""Versions that could not be loaded, and when a load should be tried again."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass

RETRY_S = 30.0
"""Seconds until a load is tried again whose failure says nothing about the version's files."""


@dataclass(frozen=True, slots=True)
class _Failure:
    stamp: Hashable
    retry_at: float  # on the clock of time.monotonic


class FailedLoads:
    """Failed loads by product and version; the version None means any version. For one thread at a time.

    A load that failed because of the version's files is tried again when the files change: each try reads
    every file for its sha256. A load that failed for another reason is also tried again after `retry_s`.
    """

    def __init__(self, stamp: Callable[[str, str | None], Hashable], *, retry_s: float = RETRY_S) -> None:
        """Create an empty record.

        stamp: returns a value that changes whenever a version's files change.
        retry_s: seconds until a load is tried again that failed for another reason than the files.
        """
        self._stamp = stamp
        self._retry_s = retry_s
        self._failures: dict[tuple[str, str | None], _Failure] = {}

    def stamp(self, product: str, version: str | None) -> Hashable:
        """The stamp of the files now. Take the stamp before a load: a change during the load then counts."""
        return self._stamp(product, version)

    def add(self, product: str, version: str | None, stamp: Hashable, *, files_at_fault: bool) -> None:
        """Remember a failed load.

        stamp: of the files, taken before the load.
        files_at_fault: whether the load failed because of the version's files.
        """
        retry_at = float("inf") if files_at_fault else time.monotonic() + self._retry_s
        self._failures[product, version] = _Failure(stamp, retry_at)

    def should_retry(self, product: str, version: str | None) -> bool:
        """Whether a load should be tried: no load failed, the files changed, or enough time passed."""
        failure = self._failures.get((product, version))
        if failure is None:
            return True
        return time.monotonic() >= failure.retry_at or self._stamp(product, version) != failure.stamp
