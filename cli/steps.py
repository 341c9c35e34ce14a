"""Commands and servers that another command starts, one step after the other."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

_READY_WITHIN = 120  # seconds; loading takes one or two seconds, on a busy machine more
PROGRAM: tuple[str, ...] = (sys.executable, "-m", "tribank")
"""What starts `tribank`."""


class StepFailed(RuntimeError):
    """A step failed. The message names the step."""


def tribank(*arguments: str) -> list[str]:
    """The command line of a `tribank` command."""
    return [*PROGRAM, *arguments]


def free_port() -> int:
    """A port of this computer that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def serving(
    banks: Path,
    state: Path,
    port: int,
    *options: str,
    settings: Mapping[str, str] | None = None,
) -> Iterator[str]:
    """Run `tribank serve` inside the block; yields its address. Its log is `server.log` beside `state`.

    options: further options of `tribank serve`. settings: `TRIBANK_*` of the server.
    Raises StepFailed where the server does not get ready.
    """
    url = f"http://127.0.0.1:{port}"
    arguments = ("serve", "--banks", str(banks), "--state", str(state), "--port", str(port), *options)
    log = state.parent / "server.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            tribank(*arguments),
            stdout=file,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(settings or {})},
        )
        try:
            _wait_until_ready(url, process, log)
            yield url
        finally:
            process.terminate()
            process.wait(timeout=60)


def _wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _READY_WITHIN
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise StepFailed(f"The server stopped while starting. See its log: {log}")
        try:
            with urlopen(f"{url}/readyz", timeout=5):  # noqa: S310 - our own loopback server
                return
        except (URLError, OSError):
            time.sleep(0.2)
    raise StepFailed(f"The server was not ready within {_READY_WITHIN} s. See its log: {log}")
