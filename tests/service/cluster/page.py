"""docs/cluster.md, as its reader types it. The page's computers are one here, on loopback."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cli.steps import free_port
from tests.reader import ROOT, Desk
from tests.service.cluster.nodes import RAY, UNUSED
from tests.waiting import until

PAGE = ROOT / "docs" / "cluster.md"


class Computers:
    """The page's computers: their reader types at all of them.

    address: of the head. exported: the line that every shell begins with.
    """

    def __init__(self, desk: Desk, short: Path) -> None:
        """short: folder for Ray, whose sockets need short paths."""
        head = free_port()
        self.address = f"127.0.0.1:{head}"
        self._desk = desk
        here = f"--node-ip-address=127.0.0.1 {' '.join(UNUSED)}"
        self._stands_for = {
            "host1:6379 --num-cpus=4": f"{self.address} --num-cpus=2 {here}",
            "--cpus 4": "--cpus 1",
            "host1:6379": self.address,
            "--node-ip-address=host1": here,
            "--port=6379": f"--port={head} --temp-dir={short}/ray",
            "/srv/banks": str(desk.folder / "banks"),
            ".venv/bin/ray": str(RAY),
        }
        self._started = 0
        self.exported = "true"

    def type(self, line: str) -> str:
        """Type a line that ends, and return what it printed."""
        return self._desk.type(f"{self.exported}; {self._here(line)}")

    @contextmanager
    def going(self, line: str, sign: str, **settings: str) -> Iterator[None]:
        """Type a line that goes on; its program is ended with the block, as a service manager ends it.

        sign: what it prints once it runs. settings: its environment.
        """
        typed = self._desk.here(f"{self.exported}; exec env {self._here(line)}")
        said = self._desk.folder / f"typed-{self._started}"
        self._started += 1
        with said.open("wb") as output:
            process = subprocess.Popen(
                ["bash", "-c", typed],
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self._desk.folder,
                start_new_session=True,
                env={**os.environ, "PYTHONPATH": str(ROOT), **settings},
            )
        try:
            until(lambda: sign in said.read_text() or process.poll() is not None, line)
            assert process.poll() is None, said.read_text()
            yield
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(30)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(20)

    def _here(self, line: str) -> str:
        for text, other in self._stands_for.items():
            line = line.replace(text, other)
        return line
