"""Files that are replaced in one step: a reader, or a power cut, meets the old or the new one."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

USUAL = 0o666
"""What the user's umask is taken from, as for any file that a program creates."""
PRIVATE = 0o600
"""For secrets."""


@contextmanager
def replacing(path: Path, *, mode: int = USUAL) -> Iterator[Path]:
    """The place to write the new content of `path` to, in the same folder. It becomes `path` at the end.

    The file and its folder are flushed to disk. If the block raises, `path` stays as it was and nothing is
    left. mode: permission bits before the umask, also where the block itself writes others (safetensors
    writes 0600). Raises OSError.
    """
    fresh = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    permissions = os.fstat(descriptor).st_mode & 0o777
    os.close(descriptor)
    try:
        yield fresh
        fresh.chmod(permissions)
        flush(fresh)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
    flush(path.parent)


def write_atomically(path: Path, content: bytes | str, *, mode: int = USUAL) -> None:
    """Write a whole file as `replacing` does. Text becomes UTF-8. Raises OSError."""
    with replacing(path, mode=mode) as fresh:
        fresh.write_bytes(content.encode() if isinstance(content, str) else content)


def flush(path: Path) -> None:
    """Wait until a file's content, or a folder's names, are on the disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
