"""`tribank simulate` as it is typed. tests/evaluation/scale has what it computes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest
from typer.testing import CliRunner

from cli.main import app
from cli.simulate import marks
from evaluation.scale.fleet import BadFleet
from evaluation.scale.load import BadLoad
from evaluation.scale.service_times import KEY, BadTimes

SHORT = ["--minutes", "5", "--lines", "4", "--products", "8", "--parts-per-minute", "20"]


def _run(*arguments: object) -> str:
    done = CliRunner().invoke(app, ["simulate", *SHORT, *map(str, arguments)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def _told(*arguments: object) -> Any:
    return json.loads(_run(*arguments, "--json"))


@pytest.fixture
def measured(tmp_path: Path) -> Path:
    report = tmp_path / "bench.json"
    report.write_text(json.dumps({KEY: [300.0, 400.0, 500.0, 1200.0]}))
    return report


def test_every_option_reaches_the_simulation(measured: Path) -> None:
    told = _told(
        *("--tray", 2, "--pace", "random", "--run-minutes", 1, "--product-mb", 40, "--product-spread-mb", 1),
        *("--part-mb", 3, "--times", measured, "--devices", 3, "--at-once", 2, "--places", 9),
        *("--memory-mb", 900, "--load-s", 2, "--copies", 2, "--dead", 1, "--dead-at-s", 50),
        *("--restart-s", 20, "--takt-s", 5, "--seed", 7),
    )
    assert told["load"] == {
        "lines": 4,
        "products": 8,
        "parts_per_minute": 20.0,
        "tray": 2,
        "pace": "random",
        "run_minutes": 1.0,
        "product_mb": 40.0,
        "product_spread_mb": 1.0,
        "part_mb": 3.0,
    }
    assert (told["times"], told["takt_s"], told["seed"]) == ({"seconds": [0.3, 0.4, 0.5, 1.2]}, 5.0, 7)
    (case,) = told["cases"]
    assert case["fleet"] == {
        "devices": 3,
        "at_once": 2,
        "places": 9,
        "memory_mb": 900.0,
        "load_s": 2.0,
        "copies": 2,
        "dead": 1,
        "dead_at_s": 50.0,
        "restart_s": 20.0,
    }
    assert case["outcome"]["seconds"] == 300.0
    assert case["outcome"]["loads"] > 0


def test_repeated_options_give_a_case_for_each_of_their_values() -> None:
    told = _told("--mean-ms", 400, "--devices", 2, "--devices", 3, "--copies", 1, "--copies", 2)
    fleets = [(case["fleet"]["devices"], case["fleet"]["copies"]) for case in told["cases"]]
    assert fleets == [(2, 1), (2, 2), (3, 1), (3, 2)]


def test_without_devices_the_fewest_that_are_in_time_are_found() -> None:
    told = _told("--mean-ms", 900, "--spread-ms", 100)
    fewer, enough = told["cases"]
    assert enough["fleet"]["devices"] == fewer["fleet"]["devices"] + 1
    assert enough["outcome"]["missed_share"] <= 0.01 < fewer["outcome"]["missed_share"]
    assert enough["outcome"]["answer_s"]["p99"] <= told["takt_s"]


def test_a_part_may_take_until_the_next_tray() -> None:
    assert _told("--mean-ms", 400, "--devices", 2)["takt_s"] == 3.0
    assert _told("--mean-ms", 400, "--devices", 2, "--tray", 4)["takt_s"] == 12.0


def test_the_table_goes_between_the_marks_of_its_name(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    (begin, end), others = marks("two"), marks("one")
    page.write_text(f"Before.\n{others[0]}\nkept\n{others[1]}\n{begin}\nstale\n{end}\nAfter.\n")
    printed = _run("--mean-ms", 400, "--devices", 2, "--markdown", page, "--name", "two")
    text = page.read_text()
    assert text.startswith(f"Before.\n{others[0]}\nkept\n{others[1]}\n{begin}\n")
    assert text.endswith(f"{end}\nAfter.\n")
    assert "stale" not in text
    assert "| devices | 2 |" in text
    assert "devices that die" in printed


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--mean-ms", "0"], BadTimes),
        (["--mean-ms", "400", "--parts-per-minute", "0"], BadLoad),
        (["--mean-ms", "400", "--devices", "2", "--copies", "3"], BadFleet),
    ],
    ids=str,
)
def test_what_cannot_be_simulated_is_told(arguments: list[str], error: type[Exception]) -> None:
    with pytest.raises(error):
        CliRunner().invoke(app, ["simulate", *SHORT, *arguments], catch_exceptions=False)


@pytest.mark.parametrize("arguments", [[], ["--mean-ms", "400", "--times", "bench.json"]], ids=str)
def test_times_are_given_once(arguments: list[str]) -> None:
    done = CliRunner().invoke(app, ["simulate", *SHORT, *arguments])
    assert done.exit_code == click.UsageError.exit_code
