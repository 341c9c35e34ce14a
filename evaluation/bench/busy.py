"""Other work on the machine, as a benchmark starts it: processes that compute until the benchmark ends."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_LOOP = """
import os, sys, threading
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
print("busy", flush=True)
while True:
    pass
"""  # its standard input is a pipe from the benchmark, which closes however the benchmark ends


@contextmanager
def beside(count: int) -> Iterator[None]:
    """Inside the block, `count` processes use a core each, as far as there are cores."""
    started: list[subprocess.Popen[bytes]] = []
    try:
        for _ in range(count):
            command = [sys.executable, "-c", _LOOP]
            started.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
        for process in started:
            assert process.stdout is not None
            process.stdout.readline()
        yield
    finally:
        for process in started:
            process.kill()
            with process:  # closes its pipes and waits for its end
                pass
