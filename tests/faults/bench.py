"""Where the cases work: a folder, the scene, and servers that are started on demand."""

from __future__ import annotations

import os
import re
import shutil
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

from tests.faults.scene import PRODUCT, Scene
from tests.faults.warm import Command, Warm
from tests.waiting import until

SCORE = f"/v1/products/{PRODUCT}/score"


class Bench:
    """folder: for whatever a case writes. quick: servers wait for a second where the default is many."""

    def __init__(self, folder: Path, scene: Scene, warm: Warm, *, quick: bool = False) -> None:
        self.quick = quick
        self.folder = folder
        self.scene = scene
        self.warm = warm

    def fresh(self, name: str) -> Path:
        """An empty folder."""
        path = self.folder / name
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        return path

    def banks(self, name: str) -> Path:
        """A bank root of one's own."""
        path = self.fresh(name) / "banks"
        shutil.copytree(self.scene.banks, path)
        return path

    @contextmanager
    def serving(
        self,
        name: str,
        *,
        banks: Path | None = None,
        state: Path | None = None,
        hook: str = "",
        environment: Mapping[str, str] | None = None,
        **settings: Any,
    ) -> Iterator[Served]:
        """A real server, ready. banks, state: default: a copy, an empty folder. hook, environment: as of
        `Warm.start`. settings: `TRIBANK_*`, by their names in lower case."""
        root = banks or self.banks(name)
        said = self.folder / f"{name}.log"
        said.unlink(missing_ok=True)
        options = ["serve", "--banks", str(root), "--port", "0", "--device", "cpu"]
        options += ["--state", str(state or self.fresh(f"{name}.state"))]
        chosen = {f"TRIBANK_{key.upper()}": str(value) for key, value in settings.items()}
        command = self.warm.start(options, said, {**chosen, **(environment or {})}, hook)
        try:
            yield served_by(command)
        finally:
            ended(command)


class Served:
    """A server that answers."""

    def __init__(self, command: Command, url: str) -> None:
        self.command = command
        self.url = url

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        found = httpx.URL(self.url)
        return found.host, found.port or 80

    def client(self, **options: Any) -> httpx.Client:
        """Speaks to it, without a proxy. verify: there is no TLS, and certificates take long to read."""
        return httpx.Client(base_url=self.url, timeout=120, trust_env=False, verify=False, **options)

    def memory_mb(self, what: str = "VmRSS") -> float:
        """Of its process; what: VmRSS now, VmHWM the most."""
        status = Path(f"/proc/{self.command.pid}/status").read_text()
        found = re.search(rf"^{what}:\s+(\d+) kB", status, re.MULTILINE)
        assert found is not None
        return int(found[1]) / 1024

    def open_files(self) -> int:
        """Of its process."""
        return len(os.listdir(f"/proc/{self.command.pid}/fd"))

    def threads(self) -> int:
        """Of its process."""
        return len(os.listdir(f"/proc/{self.command.pid}/task"))


def ended(command: Command) -> int:
    """Stop it as a person does, or after a minute by force. Returns its exit status."""
    command.signal(signal.SIGTERM)
    with suppress(AssertionError):
        return command.wait(60)
    command.kill()
    return command.wait()


def served_by(command: Command, log: Path | None = None) -> Served:
    """The server of a command that was just started, once it is ready. log: where it says its address."""
    said = log or command.said

    def address() -> str | None:
        assert command.poll() is None, f"the server ended:\n{said.read_text()[-4000:]}"
        found = re.search(r"Serving on (http://\S+)", said.read_text() if said.exists() else "")
        return found[1] if found else None

    url = until(address, "the server's address")

    assert url is not None
    served = Served(command, url)
    with served.client() as client:

        def ready() -> bool:
            assert command.poll() is None, f"the server ended:\n{said.read_text()[-4000:]}"
            return client.get("/readyz").status_code == 200

        until(ready, "a server that is ready", every=0.03)
    return served
