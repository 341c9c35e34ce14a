"""The name by which servers that share a database tell their jobs apart."""

from __future__ import annotations

import uuid
from contextlib import suppress
from pathlib import Path


def server_name(folder: Path) -> str:
    """The name of the server, from a file of its state folder that the first start writes. Raises OSError."""
    file = folder / "server"
    with suppress(FileExistsError), file.open("x") as new:
        new.write(uuid.uuid4().hex)
    return file.read_text()
