"""Replace files in one step: a reader sees the old or the new content, also after a power cut."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

USUAL = 0o666
"""Permission bits of an ordinary file, before the user's umask."""
PRIVATE = 0o600
"""Permission bits of a file with secrets."""


@contextmanager
def replacing(path: Path, *, mode: int = USUAL) -> Iterator[Path]:
    """Yield a temporary path in the same folder. At the end, the temporary file becomes `path`.

    mode: permission bits before the umask. They are applied even if the block sets other bits (safetensors
    sets 0600).

    The file and its folder are flushed to disk. If the block raises, `path` is unchanged and the temporary
    file is removed. Raises OSError.
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
    """Replace the whole content of a file with `replacing`. Text is written as UTF-8. Raises OSError."""
    with replacing(path, mode=mode) as fresh:
        fresh.write_bytes(content.encode() if isinstance(content, str) else content)


def flush(path: Path) -> None:
    """Wait until a file's content, or a folder's entries, are on the disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
