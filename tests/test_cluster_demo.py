"""`make cluster-demo`: nothing is lost, and nothing is left behind, also after Ctrl-C."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from banks.versions.store import BankStore
from cli import steps
from scripts import cluster_demo
from tests.faults.warm import Warm
from tests.waiting import until

ROOT = Path(__file__).parents[1]
DEMO = """
from runpy import run_module
from cli import steps
steps.PROGRAM = {program}
run_module("scripts.cluster_demo", run_name="__main__")
"""
"""The demo, whose commands are forks of the warm process."""
FEW = ("--parts", "12", "--lines", "1")


def test_make_runs_the_demo() -> None:
    makefile = (ROOT / "Makefile").read_text()
    assert re.search(
        r"^cluster-demo: setup.*\n\t@\.venv/bin/python -m scripts\.cluster_demo$", makefile, re.M
    )


def _lines(statuses: list[int], scores: list[float]) -> cluster_demo.Lines:
    """Lines that have sent one part so often."""
    lines = cluster_demo.Lines(0, {("biscuit", "good/000"): b""})
    lines.statuses.update(statuses)
    for score in scores:
        lines.scores["biscuit", "good/000"].add(score)
    return lines


@pytest.mark.parametrize(
    ("lines", "left", "status"),
    [
        (_lines([200, 200, 503], [1.5]), 0, 0),
        (_lines([200, 0], [1.5]), 0, 1),
        (_lines([200, 500], [1.5]), 0, 1),
        (_lines([200, 200], [1.5, 1.5000000000000002]), 0, 1),
        (_lines([503, 503], []), 0, 1),
        (_lines([200, 200], [1.5]), 1, 1),
    ],
    ids=["refused", "broken", "failed", "other-score", "no-score", "process-left"],
)
def test_the_exit_status_tells_what_went_wrong(lines: cluster_demo.Lines, left: int, status: int) -> None:
    assert cluster_demo._report(lines, left) == status


def test_products_are_rendered_and_built(tmp_path: Path, warm: Warm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "PROGRAM", warm.tribank)
    monkeypatch.setattr(cluster_demo, "FEW", ("--train", "2", "--validation", "1", "--test", "1"))
    cluster_demo._make(tmp_path, ["lid"])
    assert BankStore(tmp_path / "banks").versions("lid") == ["v1"]
    assert {product for product, _ in cluster_demo._bodies(tmp_path / "parts")} == {"lid"}


@pytest.fixture
def made(small_product: Path, small_banks: Path, tmp_path: Path) -> Path:
    """A folder as the demo makes one, of one product."""
    folder = tmp_path / "made"
    folder.mkdir()
    (folder / "banks").symlink_to(small_banks)
    (folder / "parts").symlink_to(small_product.parent)
    return folder


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_scorer_is_killed_and_no_part_is_lost(tmp_path: Path, warm: Warm, made: Path) -> None:
    demo = _Demo(tmp_path, warm, "--made", str(made), "--scorers", "2")
    assert demo.process.wait(500) == 0, demo.text()
    numbers = {what.strip(): float(found) for what, found in re.findall(r"│ (.+?) +│ ([\d.]+)", demo.text())}
    assert numbers["parts sent"] >= 12
    assert numbers["parts answered"] + numbers["parts refused with 503"] == numbers["parts sent"]
    assert (numbers["parts lost"], numbers["processes left"]) == (0, 0)
    assert (numbers["different parts"], numbers["scores of each part, to the last digit"]) == (3, 1)
    assert demo.left() == []


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_ctrl_c_stops_everything(tmp_path: Path, warm: Warm, made: Path) -> None:
    demo = _Demo(tmp_path, warm, "--made", str(made), "--scorers", "1")
    until(lambda: "Starting 1 scorers" in demo.text() or demo.process.poll() is not None, "Ray")
    started = psutil.Process(demo.process.pid).children(recursive=True)
    assert any("raylet" in process.name() for process in started)
    demo.process.send_signal(signal.SIGINT)
    assert demo.process.wait(120) == 130, demo.text()
    assert [process for process in started if _runs(process)] == []
    assert demo.left() == []


def _runs(process: psutil.Process) -> bool:
    """Whether a process still runs. One that ended can stay on the list until its parent takes note."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class _Demo:
    """A demo that was started, and what it prints."""

    def __init__(self, folder: Path, warm: Warm, *options: str) -> None:
        self._file = folder / "said"
        self._temporary = folder / "temporary"
        self._temporary.mkdir()
        with self._file.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-c", DEMO.format(program=warm.tribank), *FEW, *options],
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
                env={**os.environ, "TMPDIR": str(self._temporary)},
            )

    def text(self) -> str:
        return self._file.read_text()

    def left(self) -> list[Path]:
        """The folders that the demo left."""
        return list(self._temporary.iterdir())
