"""A full disk, a real small one: under the log, the state, the banks, and what is temporary."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx

from tests.faults.bench import SCORE, Bench, Served, ended, served_by
from tests.faults.case import Case, Outcome
from tests.faults.scene import PRODUCT, VERSIONS
from tests.waiting import until

DISKS = ("log", "state", "banks", "scratch")
PLACE, SOURCE = "FAULTS_DISKS", "FAULTS_SOURCE"
_SIZE = "size=16m"
_NEW_MOUNTS, _NEW_USER = 0x00020000, 0x10000000
_PRIVATE = 0x4000 | 0x40000  # MS_REC | MS_PRIVATE


def mount() -> None:
    """Runs in the server's process first: small disks in a mount namespace of its own, the log on one."""
    place = Path(os.environ[PLACE])
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.getuid(), os.getgid()
    if libc.unshare(_NEW_MOUNTS | (_NEW_USER if user else 0)):
        raise OSError(ctypes.get_errno(), "no mount namespace of one's own")
    if user:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {user} 1")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    libc.mount(None, b"/", None, _PRIVATE, None)
    for name in DISKS:
        if libc.mount(b"tmpfs", str(place / name).encode(), b"tmpfs", 0, _SIZE.encode()):
            raise OSError(ctypes.get_errno(), "no tmpfs")
    shutil.copytree(os.environ[SOURCE], place / "banks" / "root")
    log = os.open(place / "log" / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.environ["TMPDIR"] = str(place / "scratch")


def run(bench: Bench, numbers: Sequence[int]) -> Iterator[Outcome]:
    """A part a number on each disk in turn, while it is full; then what must be written, and the way back."""
    place = bench.fresh("disks")
    for name in DISKS:
        (place / name).mkdir()
    options = ["serve", "--port", "0", "--device", "cpu", "--banks", str(place / "banks/root")]
    options += ["--state", str(place / "state/state")]
    environment = {PLACE: str(place), SOURCE: str(bench.scene.banks)}
    command = bench.warm.start(options, bench.folder / "disks.log", environment, f"{__name__}:mount")
    inside = Path(f"/proc/{command.pid}/root{place}")
    try:
        until(lambda: (inside / "log/log").exists() or command.poll() is not None, "the small disks")
        if command.poll() is not None:
            told = command.said.read_text().strip().splitlines()[-1]
            yield Outcome(None, "not run:", True, told)
            return
        served = served_by(command, inside / "log/log")
        for name in DISKS:
            mine = [number for number in numbers if DISKS[number % len(DISKS)] == name]
            if mine:
                yield from _full(bench, served, inside / name, mine)
    finally:
        status = ended(command)
    yield Outcome(None, "exit status", status in (0, -signal.SIGKILL), str(status))


def _full(bench: Bench, served: Served, disk: Path, numbers: Sequence[int]) -> Iterator[Outcome]:
    _fill(disk / "filler")
    with served.client() as client:
        for number in numbers:
            status = client.post(SCORE, files=bench.scene.form).status_code
            yield Outcome(number, f"{disk.name} full: {status}", status == 200)
        written = _moved(client)
        yield Outcome(None, f"a threshold, {disk.name} full:", written in (200, 507), str(written))
        (disk / "filler").unlink()
        again = client.post(SCORE, files=bench.scene.form).status_code, _moved(client)
        yield Outcome(None, f"{disk.name} free again:", again == (200, 200), f"{again[0]}, {again[1]}")


def _moved(client: httpx.Client) -> int:
    """Status of a threshold that is moved: it is written among the banks."""
    path = f"/v1/products/{PRODUCT}/versions/{VERSIONS[0]}/threshold"
    return client.put(path, json={"rate": 0.1}).status_code


def _fill(file: Path) -> None:
    """Until not a byte goes in."""
    with file.open("wb", buffering=0) as filler:
        for size in (1 << 16, 1 << 10, 1):
            try:
                for _ in range(1 << 20):
                    filler.write(bytes(size))
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise


CASE = Case("disk", "parts while the disk of the log, state, banks, scratch is full", 200, run, "R19")
