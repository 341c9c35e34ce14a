"""The state folder: locked against other services, opened at the start, and opened again after a failure.

Parts are scored whether or not the folder can be used. A damaged, full or read-only folder loses records, but
does not stop the production line.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from structlog.typing import FilteringBoundLogger

from service.disk_faults import RecordsError
from service.threads import on_disk

RETRY_S = 2.0
"""Seconds until a file that could not be opened is opened again."""
_CALLED = {"audit": "changes"}
"""What sentences call the content of a store whose name is another word."""


class StateInUse(RuntimeError):
    """Another service uses this state folder."""


class Store(Protocol):
    """A store whose files are in the folder."""

    @property
    def damaged(self) -> Sequence[Path]:
        """The damaged files that were renamed since the start."""
        ...

    def open(self) -> None:
        """Open the store, unless the store is open. Raises OSError, RecordsError."""
        ...


class StateFolder:
    """The state folder of one service. For one thread at a time; any thread may call `notes` and `damaged`.

    reasons: why each store, by name, is not available; empty for a store that is available.
    """

    def __init__(self, folder: Path, stores: Mapping[str, Store], logger: FilteringBoundLogger) -> None:
        self._folder = folder
        self._stores = dict(stores)
        self._logger = logger
        self._descriptor: int | None = None
        self._logged: set[Path] = set()
        self.reasons = dict.fromkeys(self._stores, "The file is being opened.")

    def claim(self) -> None:
        """Create the folder where it is missing, and lock the folder. Raises StateInUse, OSError."""
        if self._descriptor is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._descriptor = _lock(self._folder / "lock")

    def open(self) -> None:
        """Open every store that is not open. Raises StateInUse where another service has the folder."""
        try:
            self.claim()
        except OSError as error:
            for name in self._stores:
                self._set_reason(name, str(error))
            return
        for name, store in self._stores.items():
            try:
                store.open()
            except (OSError, RecordsError) as error:
                self._set_reason(name, str(error))
            else:
                self._set_reason(name, "")
            for aside in store.damaged:
                if aside not in self._logged:
                    self._logged.add(aside)
                    self._logger.error("state_damaged", kept=name, put_aside=str(aside))

    async def keep_open(self) -> None:
        """Open every store that is not open, again and again, until cancelled."""
        while True:
            await asyncio.sleep(RETRY_S)
            try:
                await on_disk(self.open)
            except StateInUse as error:
                for name in self._stores:
                    self._set_reason(name, str(error))

    def close(self) -> None:
        """Unlock the folder for another service."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def notes(self) -> list[str]:
        """What is wrong with the folder, in sentences. Any thread may call `notes`."""
        missing = [
            f"The {_CALLED.get(name, name)} are not available ({reason}). The server tries again every "
            f"{RETRY_S:g} s. Parts are scored meanwhile."
            for name, reason in self.reasons.items()
            if reason
        ]
        damaged = [
            f"The file of the {_CALLED.get(name, name)} was damaged. The file is now {aside.name}, and a new "
            "file is in use."
            for name, store in self._stores.items()
            for aside in store.damaged
        ]
        return [*missing, *damaged]

    def damaged(self) -> dict[str, int]:
        """How many damaged files each store renamed since the start. Any thread may call `damaged`."""
        return {name: len(store.damaged) for name, store in self._stores.items()}

    def _set_reason(self, name: str, reason: str) -> None:
        """Remember why a store is not available, and log a change."""
        before, self.reasons[name] = self.reasons[name], reason
        if reason and reason != before:
            self._logger.error("state_unavailable", kept=name, reason=reason)
        elif before and not reason:
            self._logger.info("state_available", kept=name)


def _lock(lock: Path) -> int:
    """Lock the folder until the process ends. Returns the lock's descriptor. Raises OSError, StateInUse."""
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        detail = f"Another server uses the state folder {lock.parent}. Set TRIBANK_STATE to another folder."
        raise StateInUse(detail) from None
    return descriptor
