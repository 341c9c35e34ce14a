from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import steps
from cli.main import app
from tests.faults.warm import Warm


@pytest.mark.slow
def test_one_command_measures_the_machine_and_goes_on_after_a_failed_step(
    few_parts: Path, tmp_path: Path, warm: Warm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "PROGRAM", warm.tribank)
    options = ["--repeats", "2", "--clients", "2", "--seconds", "1", "--device", "cpu"]
    options += ["--profile", "none-such", "--profile", "embedded"]
    done = CliRunner().invoke(app, ["bench-host", str(few_parts), "--out", str(tmp_path), *options])
    report = json.loads((tmp_path / "report.json").read_text())
    failed = [name for name, step in report["steps"].items() if step["failed"]]
    assert done.exit_code == 1
    assert failed == [name for name in report["steps"] if name.startswith("none-such: ")]
    assert len(failed) == 4
    outcomes = {name: step["outcome"] for name, step in report["steps"].items()}
    assert outcomes["embedded: one part"]["ms"]["total"]["p50"] > 0
    assert outcomes["embedded: one part beside two busy processes"]["busy_processes"] == 2
    served = outcomes["embedded: a server under load"]
    assert served["clients"] == 2
    assert served["capacity_over_one_client"] == pytest.approx(
        served["capacity_per_s"] / served["one_client_per_s"]
    )
    assert outcomes["coreset"]["kept"] > 0
