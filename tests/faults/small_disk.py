"""A small disk that only one command sees. `mount` is a hook of `tests.faults.warm`."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

NEW_NAMESPACES = 0x00020000 | 0x10000000
"""CLONE_NEWNS and CLONE_NEWUSER of sched.h: mounts of the process's own, and the right to make them."""


def environment(folder: Path, size: int) -> dict[str, str]:
    """What `mount` reads. folder: where the disk is mounted. size: in bytes."""
    return {"SMALL_DISK": str(folder), "SMALL_DISK_BYTES": str(size)}


def mount() -> None:
    """Mount an empty disk that only this process sees. Raises OSError where the system gives no namespace."""
    user, group = os.getuid(), os.getgid()
    libc = ctypes.CDLL(None, use_errno=True)
    _checked(libc.unshare(NEW_NAMESPACES))
    for name, content in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")):
        Path("/proc/self", name).write_text(content)
    folder, size = os.environ["SMALL_DISK"].encode(), os.environ["SMALL_DISK_BYTES"]
    _checked(libc.mount(b"tmpfs", folder, b"tmpfs", 0, f"size={size}".encode()))


def available() -> bool:
    """Whether this system lets an ordinary process mount a disk. A child tries."""
    child = os.fork()
    if child == 0:
        os.environ |= environment(Path("/mnt"), 1 << 20)
        try:
            mount()
        except OSError:
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0


def _checked(status: int) -> None:
    if status:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
