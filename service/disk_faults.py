"""Errors of a disk, its files and the records: full, locked, damaged, or not usable at present."""

from __future__ import annotations

import errno
import sqlite3
from enum import Enum

from safetensors import SafetensorError

_FULL = (errno.ENOSPC, errno.EDQUOT)


class Fault(Enum):
    """What is wrong with the records, through no fault of the caller.

    UNAVAILABLE: the file cannot be used. GONE: the database cannot be reached.
    """

    FULL = "full"
    LOCKED = "locked"
    DAMAGED = "damaged"
    UNAVAILABLE = "unavailable"
    GONE = "gone"


class RecordsError(Exception):
    """The records cannot be read or written. fault: None where the call itself is wrong."""

    def __init__(self, reason: str, fault: Fault | None = None) -> None:
        super().__init__(reason)
        self.fault = fault


class NotOpen(RecordsError):
    """The file or the database cannot be opened at present."""


class Conflict(RecordsError):
    """A row with the same key is there already."""


_FAULTS = {
    sqlite3.SQLITE_FULL: Fault.FULL,
    sqlite3.SQLITE_BUSY: Fault.LOCKED,
    sqlite3.SQLITE_LOCKED: Fault.LOCKED,
    sqlite3.SQLITE_CORRUPT: Fault.DAMAGED,
    sqlite3.SQLITE_NOTADB: Fault.DAMAGED,
    sqlite3.SQLITE_READONLY: Fault.UNAVAILABLE,
    sqlite3.SQLITE_IOERR: Fault.UNAVAILABLE,
    sqlite3.SQLITE_CANTOPEN: Fault.UNAVAILABLE,
    sqlite3.SQLITE_PERM: Fault.UNAVAILABLE,
}
"""SQLite's primary error codes with a cause outside this service: the file, its disk or another program."""
_CONFLICTS = (sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)


def of_sqlite(error: sqlite3.Error) -> RecordsError:
    """An error of sqlite3 as an error of the records."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return RecordsError(str(error))
    if code in _CONFLICTS:
        return Conflict(str(error))
    return RecordsError(str(error), _FAULTS.get(code & 0xFF))


def is_full(error: BaseException) -> bool:
    """Whether an error of the system, of the records or of safetensors reports a full disk or quota."""
    if isinstance(error, SafetensorError):  # has the error number in its text only
        return any(f"(os error {number})" in str(error) for number in _FULL)
    return getattr(error, "errno", None) in _FULL or fault_of(error) is Fault.FULL


def fault_of(error: BaseException) -> Fault | None:
    """What is wrong with the records; None for any other error."""
    return error.fault if isinstance(error, RecordsError) else None
