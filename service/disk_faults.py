"""Errors of a disk and its files: full, locked, damaged, or not usable at present."""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path

from safetensors import SafetensorError

_FULL = (errno.ENOSPC, errno.EDQUOT)
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_OUTSIDE = (
    *(sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR),
    *(sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_FULL, *_DAMAGE),
)
"""SQLite errors with a cause outside this service: the file, its disk or another program."""


class NotOpen(sqlite3.OperationalError):
    """The file cannot be opened at present. full: whether the cause is a full disk."""

    def __init__(self, file: Path, reason: str, *, full: bool) -> None:
        super().__init__(f"{file.name} is not open: {reason}")
        self.full = full


def is_full(error: BaseException) -> bool:
    """Whether an error of the system, of sqlite3 or of safetensors reports a full disk or quota."""
    if isinstance(error, SafetensorError):  # has the error number in its text only
        return any(f"(os error {number})" in str(error) for number in _FULL)
    if isinstance(error, NotOpen):
        return error.full
    return getattr(error, "errno", None) in _FULL or getattr(error, "sqlite_errorname", "") == "SQLITE_FULL"


def is_unusable(error: BaseException) -> bool:
    """Whether an error of sqlite3 says that the file cannot be used at present."""
    return isinstance(error, NotOpen) or _code(error) in _OUTSIDE


def is_locked(error: BaseException) -> bool:
    """Whether an error of sqlite3 says that another program has locked the file."""
    return _code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def is_damage(error: BaseException) -> bool:
    """Whether an error of sqlite3 says that the file is damaged."""
    return _code(error) in _DAMAGE


def _code(error: BaseException) -> int | None:
    """SQLite's primary error code."""
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF
