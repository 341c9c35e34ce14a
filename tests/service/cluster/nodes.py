"""A real Ray cluster on loopback: its nodes are processes, started as a person starts them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

from tests.waiting import until

RAY = Path(sys.executable).with_name("ray")
TOKEN = "ab" * 32
UNUSED = ("--disable-usage-stats", "--include-log-monitor=false", "--no-monitor")
"""What nodes here go without: nobody reads the logs of others at a node, and no nodes are added by Ray."""


@dataclass
class Nodes:
    """The nodes of one cluster.

    environment: what every process that joins it needs. variables: of the nodes alone.
    """

    address: str
    folder: Path
    environment: dict[str, str]
    variables: Mapping[str, str] = field(default_factory=dict)
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def add(self, *options: str) -> None:
        """Start a node, and wait until it has joined."""
        said = self.folder / f"node-{len(self.processes)}"
        words = [str(RAY), "start", "--block", *UNUSED, *options]
        with said.open("wb") as output:
            process = subprocess.Popen(
                words,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.environment, **self.variables},
                cwd=self.folder,
                start_new_session=True,
            )
        self.processes.append(process)

        def joined() -> bool:
            assert process.poll() is None, said.read_text()
            return b"Ray runtime started" in said.read_bytes()

        until(joined, "a node of Ray")

    def end(self) -> None:
        """End all nodes, the last one first."""
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            with suppress(subprocess.TimeoutExpired):
                process.wait(20)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(20)


@contextmanager
def ray_nodes(
    port: int,
    *,
    nodes: int,
    cpus: int,
    token: str = TOKEN,
    variables: Mapping[str, str] | None = None,
    options: Sequence[str] = (),
) -> Iterator[Nodes]:
    """A head without scorers, and nodes with room for scorers of one core each.

    variables: environment of the nodes alone. options: of `ray start` for nodes other than the head.
    """
    folder = Path(mkdtemp(prefix="ray-", dir="/tmp"))  # Ray's sockets need short paths
    environment = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": token, "RAY_USAGE_STATS_ENABLED": "0"}
    cluster = Nodes(f"127.0.0.1:{port}", folder, environment, variables or {})
    try:
        head = ("--head", f"--port={port}", f"--temp-dir={folder}/ray", "--include-dashboard=false")
        cluster.add(*head, "--node-ip-address=127.0.0.1", "--num-cpus=0")
        for _ in range(nodes):
            address = f"--address={cluster.address}", "--node-ip-address=127.0.0.1"
            cluster.add(*address, f"--num-cpus={cpus}", *options)
        yield cluster
    finally:
        cluster.end()
        rmtree(folder, ignore_errors=True)
