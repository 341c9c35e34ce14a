"""The SQLite connection by which a store writes, for tests that disturb it."""

from __future__ import annotations

import sqlite3
from typing import Any


def connection_of(store: Any) -> sqlite3.Connection:
    """The connection of an open store."""
    return store._db._connection.connection.driver_connection
