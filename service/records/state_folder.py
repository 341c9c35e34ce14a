"""The folder of what the service keeps: held against other services, opened at the start, and tried again
where that fails.

Parts are scored whatever becomes of it: a damaged, full or read-only folder costs the record, not the line.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from structlog.typing import FilteringBoundLogger

from service.threads import on_disk

AGAIN_S = 2.0
"""How often what could not be opened is tried again."""


class StateInUse(RuntimeError):
    """Another service works with this state folder."""


class Kept(Protocol):
    """Something in the folder."""

    @property
    def damaged(self) -> Sequence[Path]:
        """What was found damaged since the start, and put aside."""
        ...

    def open(self) -> None:
        """Open it, unless it is open. Raises OSError, sqlite3.Error."""
        ...


class StateFolder:
    """The state folder of one service. For one thread at a time, but for `notes` and what is told of it.

    reasons: why what is kept, by name, is not available; empty where it is.
    """

    def __init__(self, folder: Path, kept: Mapping[str, Kept], logger: FilteringBoundLogger) -> None:
        self._folder = folder
        self._kept = dict(kept)
        self._logger = logger
        self._claim: int | None = None
        self._told: set[Path] = set()
        self.reasons = dict.fromkeys(self._kept, "It is being opened.")

    def claim(self) -> None:
        """Hold the folder, made if need be, unless it is held. Raises StateInUse, OSError."""
        if self._claim is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._claim = _claimed(self._folder / "lock")

    def open(self) -> None:
        """Open what is not open, as far as the disk lets. Raises StateInUse before the folder is held."""
        try:
            self.claim()
        except OSError as error:
            for name in self._kept:
                self._tell(name, str(error))
            return
        for name, kept in self._kept.items():
            try:
                kept.open()
            except (OSError, sqlite3.Error) as error:
                self._tell(name, str(error))
            else:
                self._tell(name, "")
            for aside in kept.damaged:
                if aside not in self._told:
                    self._told.add(aside)
                    self._logger.error("state_damaged", kept=name, put_aside=str(aside))

    async def keep_open(self) -> None:
        """Try again what is not open, until cancelled."""
        while True:
            await asyncio.sleep(AGAIN_S)
            try:
                await on_disk(self.open)
            except StateInUse as error:
                for name in self._kept:
                    self._tell(name, str(error))

    def close(self) -> None:
        """Let another service have the folder."""
        if self._claim is not None:
            os.close(self._claim)
            self._claim = None

    def notes(self) -> list[str]:
        """What is not as it should be, in sentences. From any thread."""
        missing = [
            f"The {name} of the state folder are not available ({reason}). It is tried again every "
            f"{AGAIN_S:g} s; parts are scored meanwhile."
            for name, reason in self.reasons.items()
            if reason
        ]
        damaged = [
            f"The {name} on record were damaged: {aside.name} was put aside and a new file begun."
            for name, kept in self._kept.items()
            for aside in kept.damaged
        ]
        return [*missing, *damaged]

    def damaged(self) -> dict[str, int]:
        """How many damaged files were put aside since the start, by what they keep. From any thread."""
        return {name: len(kept.damaged) for name, kept in self._kept.items()}

    def _tell(self, name: str, reason: str) -> None:
        before, self.reasons[name] = self.reasons[name], reason
        if reason and reason != before:
            self._logger.error("state_unavailable", kept=name, reason=reason)
        elif before and not reason:
            self._logger.info("state_available", kept=name)


def _claimed(lock: Path) -> int:
    """Hold the folder's lock until the process ends. Raises OSError, StateInUse."""
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise StateInUse(f"Another service uses the state folder {lock.parent}. Give each its own.") from None
    return descriptor
