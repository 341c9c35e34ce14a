"""The name by which servers that share a database tell their jobs apart."""

from __future__ import annotations

import uuid
from contextlib import suppress
from pathlib import Path

from models.atomic_file import write_atomically


def server_name(folder: Path) -> str:
    """The name of the server, from a file of its state folder that the first start writes. Raises OSError."""
    file = folder / "server"
    with suppress(FileNotFoundError):
        if name := file.read_text():  # a full disk may have left an empty file
            return name
    name = uuid.uuid4().hex
    write_atomically(file, name)
    return name
