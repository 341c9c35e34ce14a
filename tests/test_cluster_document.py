"""docs/cluster.md: every command is typed, in order. The page's computers are one here, on loopback."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pytest

from cli.steps import free_port
from tests.faults.warm import Warm
from tests.reader import ROOT, Desk, lines_of
from tests.service.cluster.nodes import RAY
from tests.waiting import until

PAGE = ROOT / "docs" / "cluster.md"
KEPT = ROOT / "tests" / "data" / "versions" / "schema-3"
NPZ = {"Content-Type": "application/octet-stream"}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


class Plant:
    """The page's reader, at all computers at once. exported: the line that every shell begins with."""

    def __init__(self, desk: Desk, short: str) -> None:
        head = free_port()
        address = f"127.0.0.1:{head}"
        self._desk = desk
        self._stands_for = {
            "host1:6379 --num-cpus=4": f"{address} --num-cpus=1 --node-ip-address=127.0.0.1",
            "--cpus 4": "--cpus 1",
            "host1:6379": address,
            "host1": "127.0.0.1",
            "--port=6379": f"--port={head} --temp-dir={short}/ray",
            "/srv/banks": str(desk.folder / "banks"),
            ".venv/bin/ray": str(RAY),
        }
        self._started = 0
        self.exported = "true"

    def type(self, line: str) -> str:
        """Type a line that ends, and return what it printed."""
        return self._desk.type(self._here(line))

    @contextmanager
    def going(self, line: str, sign: str) -> Iterator[subprocess.Popen[bytes]]:
        """Type a line that goes on; it is ended with the block. sign: what it prints once it runs."""
        said = self._desk.folder / f"said-{self._started}"
        self._started += 1
        with said.open("wb") as output:
            process = subprocess.Popen(
                ["bash", "-c", self._desk.here(self._here(line))],
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self._desk.folder,
                start_new_session=True,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )
        try:
            until(lambda: sign in said.read_text() or process.poll() is not None, line)
            assert process.poll() is None, said.read_text()
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(30)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(20)

    def _here(self, line: str) -> str:
        for text, other in self._stands_for.items():
            line = line.replace(text, other)
        return f"{self.exported}; {line}"


def test_every_command_of_the_page_works(warm: Warm, tmp_path: Path) -> None:
    secret, token, export, head, node, start, status, serve, stop = lines_of(PAGE)
    shutil.copytree(KEPT / "biscuit", tmp_path / "banks" / "biscuit")
    desk = Desk(tmp_path, free_port(), warm)
    with ExitStack() as held:
        plant = Plant(desk, held.enter_context(TemporaryDirectory(prefix="ray-", dir="/tmp")))
        plant.type(secret)
        plant.type(token)
        plant.exported = export
        held.enter_context(plant.going(head, "Ray runtime started"))
        for _ in ("host2", "host3"):
            held.enter_context(plant.going(node, "Ray runtime started"))
        assert "2 scorers run" in plant.type(start)
        assert plant.type(status).count("RUNNING") == 2
        with plant.going(serve, "Serving on"), httpx.Client(base_url=desk.address, timeout=120) as client:
            until(lambda: client.get("/v2/models/biscuit/ready").status_code == 200, "the product")
            answer = client.post(
                "/v1/products/biscuit/score", content=(KEPT / "part.npz").read_bytes(), headers=NPZ
            )
            assert answer.status_code == 200
            assert "cluster" in answer.json()["timings_ms"], "a scorer has scored it"
            assert [one["answers"] for one in client.get("/readyz").json()["scorers"]] == [True, True]
        plant.type(stop)
