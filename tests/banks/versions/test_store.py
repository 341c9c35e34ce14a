"""Versions are immutable, checked and published by one rename; a killed build loses nothing."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest

from banks.versions.files import load_version
from banks.versions.seal import parse, sealed, unsealed
from banks.versions.store import (
    BadBank,
    BankNotFound,
    BankStore,
    BuildRuns,
    ProductExists,
    VersionInUse,
    verify_files,
)
from banks.versions.verification import product_problems
from tests.conftest import SMALL
from tests.faults.warm import Warm
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


@pytest.fixture
def folders(tmp_path: Path) -> BankStore:
    """Product `cookie` with versions v1, v2 (active; before it v1) and v3 (shadow), their folders empty."""
    store = BankStore(tmp_path / "root")
    for version in ("v1", "v2", "v3"):
        (store.root / "cookie" / version).mkdir(parents=True)
    store.activate("cookie", "v1")
    store.activate("cookie", "v2")
    store.set_shadow("cookie", "v3")
    return store


@pytest.mark.parametrize("name", ["current", "shadow"])
def test_a_flipped_bit_of_what_names_a_version_is_refused(folders: BankStore, name: str) -> None:
    pointer = folders.root / "cookie" / name
    whole = pointer.read_bytes()
    expected = (folders.current("cookie"), folders.previous("cookie"), folders.shadow("cookie"))
    refused: list[str] = []
    for bit in range(8 * len(whole)):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        pointer.write_bytes(damaged)
        try:
            found = (folders.current("cookie"), folders.previous("cookie"), folders.shadow("cookie"))
        except BadBank as error:
            refused.append(str(error))
        else:
            assert found == expected, "one blank became another"
    assert len(refused) > 0.9 * 8 * len(whole)
    assert all(f"cookie/{name}" in said for said in refused)
    assert folders.products() == ["cookie"]


def test_damage_to_what_names_a_version_is_mended_by_naming_one(folders: BankStore) -> None:
    for name in ("current", "shadow"):
        (folders.root / "cookie" / name).write_bytes(b"v\xff")
    with pytest.raises(BadBank):
        folders.delete("cookie", "v3")
    folders.activate("cookie", "v1")
    folders.set_shadow("cookie", "v2")
    assert (folders.current("cookie"), folders.previous("cookie")) == ("v1", None)
    assert folders.shadow("cookie") == "v2"


def test_plain_names_as_older_sources_wrote_them_are_read(folders: BankStore) -> None:
    (folders.root / "cookie" / "current").write_text("v3\nv1\n")
    (folders.root / "cookie" / "shadow").write_text("v2\n")
    assert (folders.current("cookie"), folders.previous("cookie")) == ("v3", "v1")
    assert folders.shadow("cookie") == "v2"


def test_a_product_that_cannot_be_read_hides_no_other(folders: BankStore) -> None:
    (folders.root / "odd" / "current").mkdir(parents=True)
    (folders.root / "stray").write_text("a file")
    (folders.root / "empty").mkdir()
    assert folders.products() == ["cookie", "odd"]
    with pytest.raises(BadBank, match="odd/current"):
        folders.current("odd")


def test_a_shadow_that_is_deleted_meanwhile_is_not_set(folders: BankStore) -> None:
    class Deletes(BankStore):
        """Another process deletes the version after it was first looked at."""

        def path(self, product: str, version: str | None = None) -> Path:
            found = super().path(product, version)
            found.rename(found.with_name(f".deleted-{version}"))
            return found

    folders.set_shadow("cookie", None)
    with pytest.raises(BankNotFound):
        Deletes(folders.root).set_shadow("cookie", "v1")
    assert folders.shadow("cookie") is None


def _fail_to_build(store: BankStore) -> None:
    with store.building("cookie") as scratch:
        assert {entry.name for entry in scratch.parent.glob(".*")} == {scratch.name, f".lock{scratch.name}"}
        with store.building("cookie"):
            assert scratch.is_dir(), "a live build's folder is no left-over"
        raise ValueError("this build fails")


def test_the_next_build_removes_what_killed_writes_and_deletions_left(folders: BankStore) -> None:
    product = next(folders.root.iterdir())
    names = ("current", "shadow", "thresholds.json")
    left = [product / f".{name}.{'0a' * 16}" for name in names]
    kept = [product / ".current.swp", product / f".note.{'0a' * 16}"]
    for file in (*left, *kept):
        file.write_text("v")
    grave = product / ".deleted-v7"
    (grave / "kept").mkdir(parents=True)
    (grave / "kept" / "rgb.npy").write_bytes(b"rows")
    (grave / "manifest.json").write_text("{}")
    with folders.building(product.name):
        assert not any(file.exists() for file in left)
        assert all(file.exists() for file in kept)
        assert (grave.is_dir(), list(grave.iterdir())) == (True, [])


def test_builds_leave_no_lock_behind(folders: BankStore) -> None:
    folder = folders.root / "cookie"
    (folder / ".lock.building-0123").touch()  # a killed build's
    (folder / ".building-4567").mkdir()
    with pytest.raises(ValueError, match="fails"):
        _fail_to_build(folders)
    assert list(folder.glob(".*")) == []


def _fail_to_train(store: BankStore) -> None:
    with store.training("cookie", "ab") as first:
        first.mkdir()
        (first / "checkpoint").touch()
        with store.training("cookie", "ab") as second:
            assert second != first, "two builds do not write to one checkpoint"
            assert second.name.startswith(".training-")
        raise ValueError("this training fails")


def test_checkpoints_of_a_failed_build_stay_until_it_or_another_is_done(folders: BankStore) -> None:
    folder = folders.root / "cookie"
    with pytest.raises(ValueError, match="fails"):
        _fail_to_train(folders)
    (folder / ".lock.training-ab").touch()
    (folder / ".lock.training-cd").touch()
    with folders.building("cookie") as staged:
        assert {entry.name for entry in folder.glob(".*training-*")} == {".training-ab"}
        with folders.training("cookie", "ab") as again:
            assert [file.name for file in again.iterdir()] == ["checkpoint"]
            folders.publish("cookie", staged, check=lambda _: None)
            assert again.is_dir(), "of a live build"
    assert list(folder.glob(".*training-*")) == []
    (folder / ".training-ef").mkdir()
    with folders.building("cookie") as staged:
        folders.publish("cookie", staged, check=lambda _: None)
    assert list(folder.glob(".*training-*")) == []


def test_a_pinned_version_stays(folders: BankStore) -> None:
    assert folders.not_needed("cookie", keep=0) == []
    folders.set_shadow("cookie", None)
    folders.activate("cookie", "v1")  # v2 is the one before
    assert folders.not_needed("cookie", keep=0) == ["v3"]
    folders.pin("cookie", "v3", keep=True)
    folders.pin("cookie", "v2", keep=True)
    assert (folders.pinned("cookie"), folders.not_needed("cookie", keep=0)) == (["v2", "v3"], [])
    with pytest.raises(VersionInUse):
        folders.delete("cookie", "v3")
    with pytest.raises(BankNotFound):
        folders.pin("cookie", "v9", keep=True)
    folders.pin("cookie", "v3", keep=False)
    folders.pin("cookie", "v3", keep=False)
    folders.delete("cookie", "v3")
    (folders.root / "cookie" / "pinned").write_text("v1\nsha256:0123456789abcdef\n")
    assert any("pinned" in problem for problem in product_problems(folders, "cookie"))
    with pytest.raises(BadBank):
        folders.delete("cookie", "v2")


def test_a_product_is_deleted_and_no_name_of_a_version_comes_back(folders: BankStore) -> None:
    with pytest.raises(ProductExists):
        folders.create("cookie")
    with folders.building("cookie"), pytest.raises(BuildRuns):
        folders.delete_product("cookie")
    (folders.root / "cookie" / "thresholds.json").write_text("{}")
    (folders.root / "cookie" / "v1" / "rgb.faiss").write_bytes(b"rows")
    folders.delete_product("cookie")
    assert (folders.folders(), folders.products()) == ([], [])
    assert not [file for file in folders.root.rglob("*") if file.is_file()]
    for name in ("cookie", "tile"):
        with pytest.raises(BankNotFound):
            folders.delete_product(name)
    folders.create("cookie")
    assert (folders.folders(), folders.products(), folders.versions("cookie")) == (["cookie"], [], [])
    with folders.building("cookie") as staged:
        assert folders.publish("cookie", staged, check=lambda _: None) == "v4"
    assert folders.products() == ["cookie"]
    folders.delete_product("cookie")
    with folders.building("cookie") as staged:  # a build makes the product, too
        assert folders.publish("cookie", staged, check=lambda _: None) == "v5"


def test_a_product_that_was_put_back_is_deleted_again(folders: BankStore, tmp_path: Path) -> None:
    shutil.copytree(folders.root / "cookie", tmp_path / "saved")
    folders.delete("cookie", "v1")
    folders.delete_product("cookie")
    shutil.copytree(tmp_path / "saved", folders.root / "cookie")
    folders.delete_product("cookie")
    assert folders.folders() == []
    folders.create("cookie")
    assert {entry.name for entry in (folders.root / "cookie").iterdir()} == {
        ".deleted-v1",
        ".deleted-v2",
        ".deleted-v3",
    }


def test_a_killed_deletion_of_a_product_brings_nothing_back(folders: BankStore) -> None:
    (folders.root / "cookie").rename(folders.root / ".deleted-cookie")
    assert folders.folders() == []
    folders.create("cookie")
    assert folders.versions("cookie") == []
    assert folders.current("cookie") is None
    assert {entry.name for entry in (folders.root / "cookie").iterdir()} == {
        ".deleted-v1",
        ".deleted-v2",
        ".deleted-v3",
    }


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0.0, 3.0])
def test_kill_during_a_build_keeps_the_old_version(
    store: BankStore, small_product: Path, seconds: float, warm: Warm, tmp_path: Path
) -> None:
    build = warm.start(["build", SMALL, str(small_product), "--banks", str(store.root)], tmp_path / "said")
    folder = store.root / SMALL
    until(lambda: list(folder.glob(".building-*")), "a version in the making")
    time.sleep(seconds)
    build.kill()
    assert store.verify(SMALL) == []
    assert store.current(SMALL) in store.versions(SMALL)
    with store.building(SMALL) as scratch:
        assert list(folder.glob(".building-*")) == [scratch], "the next build removes what a killed one left"
