"""The kernel choice, with measurements played in; one real child process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from models.numerics import blas


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    # Set before deleting, so that the test's end also removes what ensure_kernel sets.
    monkeypatch.setenv(blas.VARIABLE, "x")
    monkeypatch.delenv(blas.VARIABLE)
    monkeypatch.setattr(blas.platform, "machine", lambda: "x86_64")
    return tmp_path / "tribank" / "blas.json"


def play(monkeypatch: pytest.MonkeyPatch, speeds: dict[str, float]) -> list[int]:
    calls: list[int] = []

    def measured() -> dict[str, float]:
        calls.append(1)
        return speeds

    monkeypatch.setattr(blas, "measure", measured)
    return calls


def test_the_winner_is_set_and_remembered(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = play(monkeypatch, {"": 50.0, "SkylakeX": 100.0, "Zen": 49.0})
    assert blas.ensure_kernel() == "SkylakeX"
    assert os.environ[blas.VARIABLE] == "SkylakeX"
    monkeypatch.delenv(blas.VARIABLE)
    assert blas.ensure_kernel() == "SkylakeX"
    assert len(calls) == 1
    assert next(iter(json.loads(home.read_text()).values()))["SkylakeX"] == 100


def test_noise_does_not_force_a_kernel(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    play(monkeypatch, {"": 95.0, "SkylakeX": 104.0})
    assert blas.ensure_kernel() == ""
    assert blas.VARIABLE not in os.environ


def test_a_set_variable_is_respected(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = play(monkeypatch, {"": 1.0, "SkylakeX": 9.0})
    monkeypatch.setenv(blas.VARIABLE, "Haswell")
    assert blas.ensure_kernel() == "Haswell"
    assert not calls


@pytest.mark.parametrize("text", ["", "[1]", "{", '{"a": 3}', '{"a": {"b": "c"}}'])
def test_a_damaged_cache_is_measured_again(home: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    home.parent.mkdir()
    home.write_text(text)
    play(monkeypatch, {"": 50.0, "Zen": 100.0})
    assert blas.ensure_kernel() == "Zen"


def test_nothing_measured_sets_nothing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    play(monkeypatch, {})
    assert blas.ensure_kernel() == ""
    assert not home.exists()


def test_an_unwritable_cache_is_no_error(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home.parent.write_text("a file where the folder should be")
    play(monkeypatch, {"": 50.0, "Zen": 100.0})
    assert blas.ensure_kernel() == "Zen"


def test_the_default_is_kept_when_it_was_not_measured() -> None:
    assert blas.best({"Zen": 100.0}) == ""
    assert blas.best({}) == ""


def test_a_child_that_fails_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blas, "_PROBE", "import os; os.abort()")
    assert blas.measure(("", "Zen")) == {}
    monkeypatch.setattr(blas, "_PROBE", "import os; print(7 if 'OPENBLAS_CORETYPE' in os.environ else 3)")
    assert blas.measure(("", "Zen")) == {"": 3.0, "Zen": 7.0}


def test_the_real_probe_and_imports() -> None:
    assert blas.measure(("",))[""] > 0
    loaded = (
        "import sys; import models.numerics.blas; assert not {'numpy', 'faiss', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", loaded], check=True, cwd=Path(blas.__file__).parents[2])


def test_setup_can_measure_by_one_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "models.numerics.blas"],
        env={**os.environ, blas.VARIABLE: "Haswell"},
        cwd=Path(blas.__file__).parents[2],
        capture_output=True,
        check=True,
        text=True,
    )
    assert "Haswell" in done.stdout
