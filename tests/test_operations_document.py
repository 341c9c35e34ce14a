"""docs/operations.md: every command is typed, in the order of the page, beside a real server."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.conftest import SMALL

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "operations.md").read_text()
LINES = [line for block in re.findall(r"```\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


@pytest.fixture
def desk(small_product: Path, small_banks: Path, tmp_path: Path) -> Path:
    """A folder as the page's reader has it: banks in out/banks, good parts in path/to/good/parts."""
    shutil.copytree(small_product / "train" / "good", tmp_path / "path" / "to" / "good" / "parts")
    shutil.copytree(small_banks, tmp_path / "out" / "banks", symlinks=True)
    (tmp_path / "out" / "banks" / SMALL / ".unfinished-build").mkdir()
    return tmp_path


@pytest.fixture
def port(desk: Path, free_port: int) -> Iterator[int]:
    """Where a server of the desk's banks listens."""
    serve = [sys.executable, "-m", "tribank", "serve", "--port", str(free_port)]
    server = subprocess.Popen(
        [*serve, "--banks", "out/banks", "--state", "out/state"],
        cwd=desk,
        env=ENVIRONMENT,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(free_port)
        yield free_port
    finally:
        server.terminate()
        assert server.wait(60) == 0


def _wait(port: int) -> None:
    for _ in range(600):
        try:
            with urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5):
                return
        except (URLError, OSError):
            time.sleep(0.2)
    raise TimeoutError("the server was not ready")


@pytest.mark.slow
def test_every_command_of_the_page_works(desk: Path, port: int) -> None:
    told: dict[str, str] = {}
    key = "KEY"
    for line in LINES:
        typed = line.replace(".venv/bin/tribank", f"{sys.executable} -m tribank").replace("KEY", key)
        typed = typed.replace("8000", str(port)).replace("myproduct", SMALL)
        asks = typed.startswith("curl ")
        if asks:
            typed += " -w '%{stderr}%{http_code}'"
        done = subprocess.run(
            ["bash", "-c", typed], cwd=desk, env=ENVIRONMENT, capture_output=True, text=True
        )
        assert done.returncode == 0, (line, done.stdout, done.stderr)
        assert not asks or done.stderr == "200", (line, done.stdout, done.stderr)
        told[line] = done.stdout
        if " keys add " in line:
            (key,) = re.findall(r"^\S+$", done.stdout, re.MULTILINE)
    answers = " ".join(told.values())
    assert f"a Tribank answers at 127.0.0.1:{port}" in answers
    assert "embedded, 244 training parts" in answers
    assert f"{SMALL} v1: whole" in answers
    assert "tribank_parts_total" in answers
    assert not list((desk / "restored").rglob(".*"))
