"""sha256 of files, by which weights and bank versions are recognised."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path


def sha256_of(path: Path) -> str:
    """Hex sha256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of_unchanged(path: Path) -> str:
    """Hex sha256 of a file, cached until the file's inode, size or times change."""
    stat = path.stat()
    return _computed(path, (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns))


@lru_cache(maxsize=64)
def _computed(path: Path, state: tuple[int, ...]) -> str:
    return sha256_of(path)
