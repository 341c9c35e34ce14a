from __future__ import annotations

import os
from pathlib import Path

import pytest

from models.numerics.cores import allowed_cores


@pytest.fixture(autouse=True)
def eight(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process may run on eight cores."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)


def allowed(folder: Path, files: dict[str, str], own: str = "0::/\n") -> int:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    (folder / "own").write_text(own)
    return allowed_cores(folder, folder / "own")


@pytest.mark.parametrize(
    ("files", "own", "cores"),
    [
        ({}, "0::/\n", 8),
        ({"cpu.max": "250000 100000\n"}, "0::/\n", 3),
        ({"cpu.max": "max 100000\n"}, "0::/\n", 8),
        ({"cpu.max": "5000 100000\n"}, "0::/\n", 1),
        ({"cpu.max": "9000000 100000\n"}, "0::/\n", 8),
        ({"plant.slice/cpu.max": "400000 100000\n"}, "0::/plant.slice/tribank.service\n", 4),
        ({"plant.slice/cpu.max": "400000 100000\n"}, "0::/other.slice\n", 8),
        ({"cpu/cpu.cfs_quota_us": "200000\n", "cpu/cpu.cfs_period_us": "100000\n"}, "4:cpu,cpuacct:/\n", 2),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, "4:cpu,cpuacct:/\n", 8),
        ({"cpu.max": "damaged"}, "0::/\n", 8),
    ],
)
def test_the_smaller_of_affinity_and_quota(
    files: dict[str, str], own: str, cores: int, tmp_path: Path
) -> None:
    assert allowed(tmp_path, files, own) == cores


def test_without_control_groups_the_affinity_counts(tmp_path: Path) -> None:
    assert allowed_cores(tmp_path / "none", tmp_path / "neither") == 8
