"""Files in LLVM's language are those of their sources, and arguments are checked before code runs."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from models.numerics.machine_code import load_kernels

ROOT = Path(__file__).parents[3]
POINTS = ROOT / "models" / "points"
FILES, SOURCES = (
    sorted(path for room in ("models", "banks") for path in (ROOT / room).rglob(name))
    for name in ("*.ll", "*_kernels.py")
)


def test_files_are_made_from_the_sources_beside_them() -> None:
    assert [path.with_suffix("") for path in FILES] == [path.with_suffix("") for path in SOURCES]
    for path in FILES:
        first = path.read_text().splitlines()[0]
        assert first.endswith(sha256(path.with_suffix(".py").read_bytes()).hexdigest()), "run: make kernels"


def test_files_name_no_machine() -> None:
    for path in FILES:
        assert not {"target", "triple"} & set(path.read_text().split())


def test_a_file_is_loaded_once() -> None:
    assert load_kernels(FILES[0]) is load_kernels(FILES[0])


@pytest.mark.parametrize(
    ("histograms", "says"),
    [
        (np.zeros((1, 33), np.float32), "float64"),
        (np.zeros((33, 2))[:, :1], "C order"),
        (3.0, "array"),
    ],
)
def test_other_arguments_are_refused(histograms: np.ndarray | float, says: str) -> None:
    fast = load_kernels(POINTS / "fpfh_kernels.ll")["fast"]
    squares, index, held = np.zeros((1, 1)), np.zeros((1, 1), np.int32), np.ones(1, np.int32)
    with pytest.raises(TypeError, match=says):
        fast(1, 1, squares, index, held, histograms, np.empty(33), np.zeros((1, 33)))
    with pytest.raises(TypeError, match="8 arguments"):
        fast(1, 1)
