"""Versions are immutable, checked and published by one rename; a killed build loses nothing."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from banks.seal import parse, sealed, unsealed
from banks.store import BadBank, BankNotFound, BankStore, VersionInUse, verify_files
from banks.version_files import load_version
from tests.conftest import SMALL
from tests.waiting import until


@pytest.fixture
def store(small_banks: Path, tmp_path: Path) -> BankStore:
    """A copy that a test may damage."""
    shutil.copytree(small_banks, tmp_path / "banks")
    return BankStore(tmp_path / "banks")


def test_a_published_version_is_active_and_whole(store: BankStore) -> None:
    assert store.products() == [SMALL]
    assert store.versions(SMALL) == ["v1"]
    assert store.current(SMALL) == "v1"
    assert store.verify(SMALL) == []


@pytest.mark.parametrize("name", ["../x", "", "A", "x" * 64, "a/b", "a\0b", "-a", "..", "a\n"])
def test_names_that_could_leave_the_root_are_refused(store: BankStore, name: str) -> None:
    with pytest.raises(BankNotFound):
        store.path(name)


def test_unknown_products_and_versions(store: BankStore) -> None:
    with pytest.raises(BankNotFound, match="tribank build"):
        store.path("cookie")
    with pytest.raises(BankNotFound, match="v7"):
        store.path(SMALL, "v7")


def test_every_changed_or_missing_file_is_named(store: BankStore) -> None:
    path = store.path(SMALL)
    files = [file for file in path.rglob("*") if file.is_file() and file.name != "manifest.json"]
    for file in files:
        name = file.relative_to(path).as_posix()
        whole = file.read_bytes()
        file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        assert name in store.verify(SMALL)[0]
        file.unlink()
        assert store.verify(SMALL) == [f"{name}: missing"]
        file.write_bytes(whole)
    (path / "manifest.json").write_text("{}")
    assert "manifest.json" in store.verify(SMALL)[0]


def test_a_manifest_whose_profile_cannot_be_is_refused_with_its_field(store: BankStore) -> None:
    manifest = store.path(SMALL) / "manifest.json"
    facts = unsealed(parse(manifest.read_bytes()))
    facts["profile"]["decision"] = "foo"
    manifest.write_text(sealed(facts))
    with pytest.raises(BadBank, match=r"profile\.decision"):
        load_version(store.path(SMALL), device="cpu", weights_dir=Path("weights"))


def test_a_refused_version_leaves_the_old_one_active(store: BankStore) -> None:
    def refuse(staged: Path) -> None:
        raise BadBank("no")

    with store.building(SMALL) as scratch:
        staged = scratch / "version"
        shutil.copytree(store.path(SMALL), staged)
        with pytest.raises(BadBank):
            store.publish(SMALL, staged, check=refuse)
    assert store.versions(SMALL) == ["v1"]
    assert [entry.name for entry in (store.root / SMALL).iterdir() if entry.name.startswith(".")] == []


def _publish(store: BankStore) -> str:
    with store.building(SMALL) as scratch:
        staged = scratch / "version"
        shutil.copytree(store.path(SMALL), staged)
        return store.publish(SMALL, staged, check=lambda _: None)


def test_publish_then_activate_the_old_one_again(store: BankStore) -> None:
    assert store.previous(SMALL) is None
    assert _publish(store) == "v2"
    assert (store.current(SMALL), store.previous(SMALL)) == ("v2", "v1")
    assert verify_files(store.path(SMALL)) == []
    store.activate(SMALL, "v1")
    assert (store.current(SMALL), store.previous(SMALL)) == ("v1", "v2")
    store.activate(SMALL, "v1")
    assert store.previous(SMALL) == "v2", "activating the active version changes nothing"


def test_what_is_in_use_is_not_deleted_and_no_name_comes_back(store: BankStore) -> None:
    assert _publish(store) == "v2"
    assert _publish(store) == "v3"
    store.set_shadow(SMALL, "v2")
    for used in ("v2", "v3"):
        with pytest.raises(VersionInUse):
            store.delete(SMALL, used)
    store.set_shadow(SMALL, None)
    store.activate(SMALL, "v1")
    store.delete(SMALL, "v3")
    with pytest.raises(BankNotFound):
        store.delete(SMALL, "v3")
    assert store.previous(SMALL) is None
    assert store.versions(SMALL) == ["v1", "v2"]
    assert _publish(store) == "v4"


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0.0, 3.0])
def test_kill_during_a_build_keeps_the_old_version(
    store: BankStore, small_product: Path, seconds: float
) -> None:
    command = [sys.executable, "-m", "tribank", "build", SMALL, str(small_product)]
    command += ["--banks", str(store.root)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)
    folder = store.root / SMALL
    until(lambda: list(folder.glob(".building-*")), "a version in the making")
    time.sleep(seconds)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert store.verify(SMALL) == []
    assert store.current(SMALL) in store.versions(SMALL)
    with store.building(SMALL) as scratch:
        assert list(folder.glob(".building-*")) == [scratch], "the next build removes what a killed one left"
