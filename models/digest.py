"""The fingerprint by which files are recognised: of weights and of bank versions alike."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path


def sha256_of(path: Path) -> str:
    """Hex sha256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of_unchanged(path: Path) -> str:
    """The same, computed again only when the file has changed: by its place, size and times."""
    found = path.stat()
    return _computed(path, (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns))


@lru_cache(maxsize=64)
def _computed(path: Path, state: tuple[int, ...]) -> str:
    return sha256_of(path)
