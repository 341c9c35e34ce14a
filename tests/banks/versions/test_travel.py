"""A version arrives whole or not at all, once, and with what people said of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from banks.versions.archive import Archive, Unpacker
from banks.versions.manifest import Manifest
from banks.versions.store import BadBank, BankStore
from banks.versions.thresholds import MovedThreshold, move_threshold, moved_thresholds
from banks.versions.travel import Arrived, Landing, carry
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


def test_a_file_that_another_version_has_is_not_copied_again(source: BankStore, target: BankStore) -> None:
    carry(source, target, SMALL)
    shutil.copytree(source.path(SMALL), source.root / SMALL / "v2")
    second = source.path(SMALL, "v2")
    manifest = Manifest.read(second)
    manifest.model_copy(update={"seed": 1}).write(second)
    there = target.path(SMALL, "v1")
    (there / "rgb.faiss").write_bytes(b"damaged since")
    assert carry(source, target, SMALL, "v2", activate=False) == Arrived("v2", new=True)
    shared = {
        name for name in manifest.files | manifest.kept if _same(there / name, there.with_name("v2") / name)
    }
    assert shared == (manifest.files | manifest.kept).keys() - {"rgb.faiss"}
    assert target.verify(SMALL, "v2") == []
    with Archive(source, SMALL, "v2") as archive:
        whole = b"".join(archive.pieces())
    target.delete(SMALL, "v2")
    assert target.verify(SMALL, "v1") == ["rgb.faiss: changed since it was built (sha256 differs)"]
    with Landing(target, SMALL) as landing:
        unpacker = Unpacker(landing)
        unpacker.feed(whole)
        unpacker.finish()
        assert landing.end() == Arrived("v3", new=True)
    assert _same(there / "fused.faiss", target.path(SMALL, "v3") / "fused.faiss")


def _same(one: Path, other: Path) -> bool:
    return one.stat().st_ino == other.stat().st_ino


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
