"""A version arrives whole or not at all, once, and with what people said of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from banks.versions.store import BadBank, BankStore
from banks.versions.thresholds import MovedThreshold, move_threshold, moved_thresholds
from banks.versions.travel import Arrived, carry
from tests.conftest import SMALL


@pytest.fixture
def source(small_banks: Path, tmp_path: Path) -> BankStore:
    """A copy that a test may change."""
    shutil.copytree(small_banks, tmp_path / "source")
    return BankStore(tmp_path / "source")


@pytest.fixture
def target(tmp_path: Path) -> BankStore:
    """A folder without a version."""
    return BankStore(tmp_path / "target")


def test_a_version_travels_once_and_gets_the_next_name(source: BankStore, target: BankStore) -> None:
    assert carry(source, target, SMALL) == Arrived("v1", new=True)
    assert target.current(SMALL) == "v1"
    assert target.verify(SMALL) == []
    assert carry(source, target, SMALL) == Arrived("v1", new=False)
    assert target.versions(SMALL) == ["v1"]


def test_another_version_of_the_same_name_is_kept(source: BankStore, target: BankStore) -> None:
    shutil.copytree(source.root, target.root)
    manifest = target.path(SMALL) / "manifest.json"
    manifest.write_bytes(manifest.read_bytes() + b"\n")
    assert carry(source, target, SMALL, activate=False) == Arrived("v2", new=True)
    assert target.versions(SMALL) == ["v1", "v2"]
    assert target.current(SMALL) == "v1"


def test_a_moved_threshold_goes_along_unless_one_was_moved_there(
    source: BankStore, target: BankStore
) -> None:
    move_threshold(source, SMALL, "v1", MovedThreshold(threshold=2.5, rate=None))
    carry(source, target, SMALL)
    assert moved_thresholds(target.root / SMALL) == {"v1": MovedThreshold(threshold=2.5, rate=None)}
    move_threshold(target, SMALL, "v1", MovedThreshold(threshold=None, rate=0.05))
    carry(source, target, SMALL)
    assert moved_thresholds(target.root / SMALL) == {"v1": MovedThreshold(threshold=None, rate=0.05)}


def test_a_damaged_version_and_one_that_is_refused_do_not_arrive(
    source: BankStore, target: BankStore
) -> None:
    def refuse(_: Path) -> None:
        raise BadBank("its probe part scores otherwise")

    with pytest.raises(BadBank, match="probe"):
        carry(source, target, SMALL, check=refuse)
    file = next(source.path(SMALL).glob("*.faiss*"), source.path(SMALL) / "manifest.json")
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(BadBank, match="damaged"):
        carry(source, target, SMALL)
    assert target.products() == []
    assert not [path for path in target.root.rglob("*") if path.is_file()]
