"""A small sample of every case of the fault harness (tests/faults); `make faults` runs them whole."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.faults.__main__ import BEGIN, CASES, END, main, read, table, write_table
from tests.faults.bench import Bench
from tests.faults.case import Outcome
from tests.faults.scene import make_scene
from tests.faults.warm import Warm

SAMPLES: dict[str, range] = {
    "flips": range(8),
    "kills": range(2),
    "kills-publishing": range(3),
    "calls": range(5, 155, 50),
    "uploads": range(40),
    "slow": range(8),
    "overload": range(1),
    "disk": range(4),
    "clock": range(2),
    "threads": range(1),
    "reloads": range(2),
    "drain": range(1),
    "steady": range(1),
}
"""Numbers of the faults that are made here."""
BROKEN: dict[str, str] = {}
"""Cases whose sample fails today, with the reason. Whoever mends one takes it out."""


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, few_parts: Path, warm: Warm) -> Bench:
    folder = tmp_path_factory.mktemp("faults")
    return Bench(folder, make_scene(folder / "scene", parts=few_parts), warm, quick=True)


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_a_sample_of_each_case(bench: Bench, name: str) -> None:
    wrong = [outcome for outcome in CASES[name].run(bench, SAMPLES[name]) if not outcome.good]
    assert bool(wrong) == (name in BROKEN), wrong
    shutil.rmtree(bench.folder / name, ignore_errors=True)


def test_what_came_out_is_told_in_a_table_that_a_page_holds(tmp_path: Path) -> None:
    outcomes = [
        Outcome(0, "refused", True),
        Outcome(1, "another score", False, "point.faiss"),
        Outcome(None, "memory", True, "3 MB"),
        Outcome(None, "seconds", True, "7"),
    ]
    log = tmp_path / "log"
    lines = [json.dumps(asdict(outcome)) for outcome in outcomes]
    log.write_text("\n".join(lines) + '\n{"number": 2, "ki')
    assert read(log) == outcomes
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    text = table([(CASES["flips"], read(log))])
    assert "| 2 | refused 1; another score 1; memory 3 MB | 1 | 7 |" in text
    write_table(page, text)
    write_table(page, text)
    told = page.read_text()
    assert (told.startswith("before\n"), told.endswith("\nafter\n")) == (True, True)
    assert (told.count(text), "old" in told) == (1, False)


def test_a_case_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["flip"])
    assert ended.value.code == 2
    assert "flips" in capsys.readouterr().err
