"""A reader of the documents: types their lines, one after another, beside a real server."""

from __future__ import annotations

import os
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from tests.conftest import SMALL
from tests.faults.bench import ended
from tests.faults.warm import Warm
from tests.waiting import until

ROOT = Path(__file__).parents[1]
DOCUMENTED_ADDRESS = "http://127.0.0.1:8000"


def code_blocks(page: Path, language: str = "") -> list[str]:
    """The page's code blocks of this language, in order. Blocks without a language hold lines to type."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)
    return [text for named, text in blocks if named == language]


def lines_of(page: Path) -> list[str]:
    """Every line that the page's reader types, in order."""
    return [line for block in code_blocks(page) for line in block.splitlines()]


@dataclass(frozen=True)
class Desk:
    """Where the reader sits: a folder, and the port on which the reader's server listens.

    warm: starts the reader's `tribank` commands.
    """

    folder: Path
    port: int
    warm: Warm

    @property
    def address(self) -> str:
        """The server's address."""
        return f"http://127.0.0.1:{self.port}"

    def here(self, text: str) -> str:
        """A document's text with this desk's port, product and Python."""
        stands_for = {
            "127.0.0.1:8000": f"127.0.0.1:{self.port}",
            "--port 8000": f"--port {self.port}",
            "myproduct": SMALL,
            ".venv/bin/tribank": shlex.join(self.warm.tribank),
            ".venv/bin/python": sys.executable,
        }
        return re.sub("|".join(map(re.escape, stands_for)), lambda found: stands_for[found[0]], text)

    def type(self, line: str, **names: str) -> str:
        """Type one line, and return what the line printed.

        names: what the line's placeholders, such as KEY, stand for. Raises AssertionError for an exit status
        other than 0, and for a curl whose answer has a status other than 200 to 204.
        """
        typed = self.here(line)
        for name, value in names.items():
            typed = typed.replace(name, value)
        asks = typed.startswith("curl ")
        if asks:
            typed += " -w '%{stderr}%{http_code}'"
        done = subprocess.run(
            ["bash", "-c", typed], cwd=self.folder, env=_environment(), capture_output=True, text=True
        )
        assert done.returncode == 0, (line, done.stdout, done.stderr)
        assert not asks or re.fullmatch(r"20[0-4]", done.stderr), (line, done.stdout, done.stderr)
        return done.stdout


@contextmanager
def server(warm: Warm, folder: Path, serve: str, hook: str = "", **settings: str) -> Iterator[Desk]:
    """A desk with a running server. serve: the line that starts the server. hook: as of `Warm.start`.
    settings: its environment."""
    desk = Desk(folder, _free_port(), warm)
    _, *words = shlex.split(serve)
    words += ["--port", str(desk.port)]
    process = warm.start(words, folder / ".served", settings, hook, folder)
    try:
        until(lambda: _is_ready(desk.address), "a server that is ready", every=0.05)
        yield desk
    finally:
        assert ended(process) == 0


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _is_ready(address: str) -> bool:
    try:
        with urlopen(f"{address}/readyz", timeout=5):
            return True
    except (URLError, OSError):
        return False
