"""The README's commands, run as a reader would type them; and every other document's names."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from evaluation.demo import CURL

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMANDS = [line for block in re.findall(r"```\n(.*?)```", README, re.DOTALL) for line in block.splitlines()]
ADDRESS = "http://127.0.0.1:8000"


def _here(command: str, port: int) -> list[str]:
    """The command for the folder and port of this test."""
    words = shlex.split(command.replace(ADDRESS, f"http://127.0.0.1:{port}"))
    if words[0] != ".venv/bin/tribank":
        return words
    return [sys.executable, "-m", "tribank", *words[1:]]


def _command(start: str) -> str:
    (found,) = [line for line in COMMANDS if line.startswith(start)]
    return found


def test_the_two_commands_are_targets_and_ci_runs_the_second() -> None:
    assert COMMANDS[:2] == ["make demo", "make test"]
    makefile = (ROOT / "Makefile").read_text()
    assert re.search(r"^demo: setup", makefile, re.MULTILINE)
    assert re.search(r"^test: setup", makefile, re.MULTILINE)
    assert "make test" in (ROOT / ".ci" / "run").read_text()


def test_the_demo_types_the_readme_line() -> None:
    expected = CURL.format(rgb="part.png", xyz="part.tiff", url=ADDRESS, product="myproduct")
    assert _command("curl") == expected


@pytest.fixture
def desk(small_product: Path, tmp_path: Path) -> Path:
    """A folder as the README's reader has it: good parts under path/to/good/parts, one part to score."""
    parts = tmp_path / "path" / "to" / "good" / "parts"
    parts.parent.mkdir(parents=True)
    shutil.copytree(small_product / "train" / "good", parts)
    defect = next(path for path in sorted((small_product / "test").iterdir()) if path.name != "good")
    shutil.copy(next((defect / "rgb").iterdir()), tmp_path / "part.png")
    shutil.copy(next((defect / "xyz").iterdir()), tmp_path / "part.tiff")
    return tmp_path


@pytest.mark.slow
def test_the_reader_builds_serves_and_scores(desk: Path, free_port: int) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    build = _here(_command(".venv/bin/tribank build"), free_port)
    subprocess.run(build, cwd=desk, env=environment, check=True, capture_output=True)
    serve = [*_here(_command(".venv/bin/tribank serve"), free_port), "--port", str(free_port)]
    server = subprocess.Popen(serve, cwd=desk, env=environment, stderr=subprocess.DEVNULL)
    try:
        _wait(free_port)
        curl = _here(_command("curl"), free_port)
        answer = json.loads(subprocess.run(curl, cwd=desk, check=True, capture_output=True).stdout)
        assert answer["decision"] == ("defective" if answer["score"] > answer["threshold"] else "good")
        assert set(answer["banks"]) == {"rgb", "point", "fused"}
        picture = [*curl, "-H", "Accept: image/png", "-o", "heatmap.png"]
        subprocess.run(picture, cwd=desk, check=True)
        assert (desk / "heatmap.png").read_bytes().startswith(b"\x89PNG")
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


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", document.read_text()):
        if not target.startswith("http"):
            assert (document.parent / target.partition("#")[0]).exists(), target


def _named_commands() -> Iterator[str]:
    for document in DOCUMENTS:
        yield from re.findall(r"`(?:\.venv/bin/)?tribank ([a-z-]+)", document.read_text())


def test_every_named_command_exists() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tribank", "--help"], capture_output=True, text=True, check=True
    )
    listed = set(re.findall(r"^│ ([a-z-]+)", done.stdout, re.MULTILINE))
    assert {"build", "score", "serve", "banks", "demo-parts"} <= listed
    assert set(_named_commands()) <= listed


def _typed_commands() -> list[str]:
    page = (ROOT / "docs" / "evaluation.md").read_text()
    return re.findall(r"^\.venv/bin/(tribank .+)$", page, re.MULTILINE)


@pytest.mark.parametrize("command", _typed_commands())
def test_every_option_of_the_evaluation_page_exists(command: str) -> None:
    """The commands themselves run in tests/evaluation, on small products."""
    words = shlex.split(command)[1:]
    path = [word for word in words[:3] if word.isidentifier()]
    asked = subprocess.run(
        [sys.executable, "-m", "tribank", *path, "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "COLUMNS": "200"},
    ).stdout
    options = {word for word in words if word.startswith("--")}
    assert options <= set(re.findall(r"--[a-z-]+", asked))
