"""The commands of README.md and docs/quick-start.md, run as a reader types them; every document's names."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.demo import CURL
from cli.main import app
from tests.faults.warm import Warm
from tests.reader import DOCUMENTED_ADDRESS, ROOT, Desk, lines_of, server

README = ROOT / "README.md"
QUICK_START = ROOT / "docs" / "quick-start.md"
DOCUMENTS = [README, *sorted((ROOT / "docs").glob("*.md"))]


def test_the_two_commands_are_targets_and_ci_runs_the_second() -> None:
    assert lines_of(README)[:2] == ["make demo", "make test"]
    makefile = (ROOT / "Makefile").read_text()
    assert re.search(r"^demo: setup", makefile, re.MULTILINE)
    assert re.search(r"^test: setup", makefile, re.MULTILINE)
    assert "make test" in (ROOT / ".ci" / "run").read_text()


def test_the_demo_types_the_readme_line() -> None:
    expected = CURL.format(rgb="part.png", xyz="part.tiff", url=DOCUMENTED_ADDRESS, product="myproduct")
    assert lines_of(README)[2:] == [expected]


@pytest.fixture
def folder(small_product: Path, tmp_path: Path) -> Path:
    """A folder as the reader has it: good parts under path/to/good/parts, one part to score."""
    parts = tmp_path / "path" / "to" / "good" / "parts"
    parts.parent.mkdir(parents=True)
    shutil.copytree(small_product / "train" / "good", parts)
    defect = next(path for path in sorted((small_product / "test").iterdir()) if path.name != "good")
    shutil.copy(next((defect / "rgb").iterdir()), tmp_path / "part.png")
    shutil.copy(next((defect / "xyz").iterdir()), tmp_path / "part.tiff")
    return tmp_path


@pytest.mark.slow
def test_the_reader_of_the_quick_start_builds_serves_and_scores(folder: Path, warm: Warm) -> None:
    before, (serve, *after) = _at_the_server(lines_of(QUICK_START))
    for line in before:
        Desk(folder, 0, warm).type(line)
    assert after[0] == lines_of(README)[2]
    with server(warm, folder, serve) as desk:
        answer = json.loads(desk.type(after[0]))
        assert answer["decision"] == ("defective" if answer["score"] > answer["threshold"] else "good")
        assert set(answer["banks"]) == {"rgb", "relief", "colour", "fused"}
        for line in after[1:]:
            desk.type(line)
    assert (folder / "heatmap.png").read_bytes().startswith(b"\x89PNG")


def _at_the_server(lines: list[str]) -> tuple[list[str], list[str]]:
    """The lines before the one that starts the server, and those from it on."""
    at = next(i for i, line in enumerate(lines) if " serve " in line)
    return lines[:at], lines[at:]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", document.read_text()):
        if target.startswith("http"):
            continue
        name, _, anchor = target.partition("#")
        page = document.parent / name if name else document
        assert page.exists(), target
        assert not anchor or anchor in _anchors(page), target


def _anchors(page: Path) -> set[str]:
    """What a link may name in this page: its headings, as GitHub writes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_named_files_exist(document: Path) -> None:
    """A file of ours is named by its path from here, such as `docker/test_image.sh`."""
    named = set(re.findall(r"`((?:[\w.-]+/)+[\w.-]+\.(?:py|sh|json))\b", document.read_text()))
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


def _named_commands() -> Iterator[str]:
    for document in DOCUMENTS:
        yield from re.findall(r"`(?:\.venv/bin/)?tribank ([a-z-]+)", document.read_text())


def test_every_named_command_exists() -> None:
    listed = set(re.findall(r"^│ ([a-z-]+)", _help(), re.MULTILINE))
    assert {"build", "score", "serve", "banks", "demo-parts"} <= listed
    assert set(_named_commands()) <= listed


def _typed_commands() -> list[str]:
    page = (ROOT / "docs" / "evaluation.md").read_text()
    return re.findall(r"^\.venv/bin/(tribank .+)$", page, re.MULTILINE)


@pytest.mark.parametrize("command", _typed_commands())
def test_every_option_of_the_evaluation_page_exists(command: str) -> None:
    """The commands themselves run in tests/evaluation, on small products."""
    words = shlex.split(command)[1:]
    path = [word for word in words[:3] if re.fullmatch("[a-z]+(-[a-z]+)*", word)]
    options = {word for word in words if word.startswith("--")}
    assert options <= set(re.findall(r"--[a-z-]+", _help(*path)))


def _help(*command: str) -> str:
    """What `tribank --help` prints of a command. tests/test_start.py starts it as a process."""
    asked = CliRunner().invoke(app, [*command, "--help"], env={"COLUMNS": "200"})
    assert asked.exit_code == 0, asked.output
    return asked.stdout
