"""A backup of a server under load, restored elsewhere."""

from __future__ import annotations

import io
import json
import os
import shutil
import sqlite3
import tarfile
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import service.records.backup as backup_module
from banks.versions.leftovers import locked
from banks.versions.store import BankStore
from cli.main import app
from service.disk_faults import Fault, RecordsError, fault_of
from service.http.keys import Keys
from service.jobs.store import JobStore
from service.records.backup import CONTENTS, BadBackup, restore_backup, write_backup
from service.settings import Settings
from tests.conftest import SMALL
from tests.service.api.test_versions import PRODUCT, derive
from tests.service.cluster.kept import KEPT
from tests.service.cluster.kept import PRODUCT as KEPT_PRODUCT
from tests.waiting import until


def silent(stage: str, done: int, total: int) -> None:
    """No progress is shown."""


def test_a_backup_under_load_restored_elsewhere_answers_the_same(
    serve: Callable[..., Any], small_banks: Path, small_product: Path, tmp_path: Path
) -> None:
    banks, state = tmp_path / "banks", tmp_path / "state"
    shutil.copytree(small_banks, banks)
    derive(banks, "v2")
    shutil.copytree(banks / SMALL / "v2", banks / "fresh" / "v1")  # built, and never activated
    good = small_product / "test/good"
    part = {"rgb": (good / "rgb/000.png").read_bytes(), "xyz": (good / "xyz/000.tiff").read_bytes()}
    key = {"X-API-Key": Keys(state).add("boss", "manage")}
    elsewhere = ["--banks", str(tmp_path / "new/banks"), "--state", str(tmp_path / "new/state")]
    file, run, done = tmp_path / "kept.tar", CliRunner(), threading.Event()
    settings = Settings(banks=banks, deadline_s=120)
    with serve(settings, None, state=state) as running, running.client(headers=key) as client:
        first = client.post(f"{PRODUCT}/score", files=part).json()
        moved = {"threshold": 1.5 * first["threshold"]}
        assert client.put(f"{PRODUCT}/versions/v1/threshold", json=moved).is_success
        judged = client.put(f"/v1/results/{first['result_id']}/feedback", json={"verdict": "defective"})
        assert judged.is_success
        answers: list[int] = []

        def load() -> None:
            with running.client(headers=key) as line:
                while not done.is_set():
                    answers.append(line.post(f"{PRODUCT}/score", files=part).status_code)

        line = threading.Thread(target=load)
        line.start()
        try:
            until(lambda: answers, "a part under load")
            made = run.invoke(app, ["backup", str(file), "--banks", str(banks), "--state", str(state)])
            assert made.exit_code == 0, made.output
        finally:
            done.set()
            line.join(60)
        assert set(answers) == {200}
        changes = client.get("/v1/audit").json()["changes"]
    restored = run.invoke(app, ["restore", str(file), *elsewhere])
    assert restored.exit_code == 0, restored.output
    settings = Settings(banks=tmp_path / "new/banks", deadline_s=120)
    state = tmp_path / "new/state"
    with serve(settings, None, state=state) as running, running.client(headers=key) as client:
        again = client.post(f"{PRODUCT}/score", files=part).json()
        assert again["score"] == first["score"]
        assert again["threshold"] == moved["threshold"]
        kept = client.get(f"/v1/results/{first['result_id']}").json()
        assert (kept["answer"], kept["verdict"]) == (first, "defective")
        assert client.get("/v1/audit").json()["changes"] == changes
        listed = client.get(f"{PRODUCT}/versions").json()
        assert [one["version"] for one in listed["versions"]] == ["v1", "v2"]
    assert BankStore(tmp_path / "new/banks").verify(SMALL, "v2") == []
    assert BankStore(tmp_path / "new/banks").verify("fresh", "v1") == []
    assert (state / "keys.json").stat().st_mode & 0o077 == 0
    assert file.stat().st_mode & 0o077 == 0


@pytest.fixture(scope="module")
def backup(small_banks: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of one version, one key and one unfinished job."""
    folder = tmp_path_factory.mktemp("backup")
    Keys(folder / "state").add("line", "score")
    jobs = JobStore(folder / "state")
    jobs.open()
    jobs.add("batch", SMALL, {})
    jobs.close()
    contents = write_backup(folder / "kept.tar", BankStore(small_banks), folder / "state", silent)
    assert contents.versions == {SMALL: ["v1"]}
    assert sorted(contents.state) == ["jobs.sqlite", "keys.json", "keys.made"]
    return folder / "kept.tar"


def test_a_backup_is_made_whatever_a_killed_one_left(tmp_path: Path) -> None:
    state, file = tmp_path / "state", tmp_path / "kept.tar"
    state.mkdir()
    (tmp_path / f".{file.name}.{os.getpid()}").touch()  # in a container the next process has the same number
    write_backup(file, BankStore(tmp_path / "banks"), state, silent)
    assert file.stat().st_mode & 0o777 == 0o600
    restore_backup(file, *places(tmp_path / "new"), silent)


def test_a_database_is_copied_though_others_write_to_it_all_the_time(tmp_path: Path) -> None:
    """Between two steps of a copy SQLite begins again where somebody wrote: such a copy never ended."""
    state, done = tmp_path / "state", threading.Event()
    state.mkdir()
    with closing(sqlite3.connect(state / "results.sqlite", check_same_thread=False)) as db:
        for pragma in ("page_size=512", "journal_mode=WAL", "synchronous=OFF"):
            db.execute(f"PRAGMA {pragma}")
        db.execute("CREATE TABLE rows AS SELECT zeroblob(4194304) AS row")
        db.commit()

        def write() -> None:
            while not done.is_set():
                with db:
                    db.execute("INSERT INTO rows VALUES (1)")

        nothing = BankStore(tmp_path / "banks")
        made = threading.Thread(
            target=write_backup, args=(tmp_path / "kept.tar", nothing, state, silent), daemon=True
        )
        writer = threading.Thread(target=write)
        writer.start()
        made.start()
        try:
            until(lambda: not made.is_alive(), "a backup", seconds=20)
        finally:
            done.set()
            writer.join(60)
            made.join(60)
    restore_backup(tmp_path / "kept.tar", *places(tmp_path / "new"), silent)


def places(folder: Path) -> tuple[Path, Path]:
    return folder / "banks", folder / "state"


@pytest.mark.parametrize("share", [0.0, 0.001, 0.4, 0.9, 0.999])
def test_a_backup_that_was_cut_restores_nothing(backup: Path, tmp_path: Path, share: float) -> None:
    data = backup.read_bytes()
    end = data.rstrip(b"\0")
    cut = tmp_path / "cut.tar"
    cut.write_bytes(end[: int(share * len(end))])
    with pytest.raises(BadBackup):
        restore_backup(cut, *places(tmp_path), silent)
    assert [path.name for path in tmp_path.iterdir()] == ["cut.tar"]


def test_what_cannot_be_copied_is_named_and_leaves_no_backup(tmp_path: Path) -> None:
    (tmp_path / "results.sqlite").write_bytes(bytes(4096))
    words = ["backup", str(tmp_path / "kept.tar"), "--state", str(tmp_path), "--banks"]
    made = CliRunner().invoke(app, [*words, str(KEPT)])
    assert isinstance(made.exception, RecordsError)
    assert fault_of(made.exception) is Fault.DAMAGED
    assert "results.sqlite" in str(made.exception)
    made = CliRunner().invoke(app, [*words, str(tmp_path / "mistyped")])
    assert isinstance(made.exception, FileNotFoundError)
    assert [path.name for path in tmp_path.iterdir()] == ["results.sqlite"]


def test_a_state_folder_that_is_named_must_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistyped name is no host without a server."""
    monkeypatch.chdir(tmp_path)
    words = ["backup", str(tmp_path / "kept.tar"), "--banks", str(KEPT)]
    made = CliRunner().invoke(app, [*words, "--state", str(tmp_path / "mistyped")])
    assert isinstance(made.exception, FileNotFoundError)
    assert list(tmp_path.iterdir()) == []
    made = CliRunner().invoke(app, words)
    assert made.exit_code == 0, made.output


def test_the_names_of_deleted_versions_are_not_used_again_after_a_restore(tmp_path: Path) -> None:
    """Results on record name the version that scored them."""
    store = BankStore(tmp_path / "before")
    for product in (KEPT_PRODUCT, "gone"):
        shutil.copytree(KEPT / KEPT_PRODUCT, store.root / product)
    shutil.copytree(KEPT / KEPT_PRODUCT / "v1", store.root / KEPT_PRODUCT / "v2")
    store.delete(KEPT_PRODUCT, "v2")
    store.delete_product("gone")
    write_backup(tmp_path / "kept.tar", store, tmp_path / "none", silent)
    restore_backup(tmp_path / "kept.tar", *places(tmp_path), silent)
    restored = BankStore(tmp_path / "banks")
    restored.create("gone")
    for product, name in ((KEPT_PRODUCT, "v3"), ("gone", "v2")):
        with restored.building(product) as staged:
            assert restored.publish(product, staged, check=lambda _: None, activate=False) == name


@pytest.mark.parametrize("at", ["before a version", "after the versions"])
def test_a_product_that_is_deleted_meanwhile_ends_no_backup(
    at: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = BankStore(tmp_path / "before")
    for product in (KEPT_PRODUCT, "stays"):
        shutil.copytree(KEPT / KEPT_PRODUCT, store.root / product)
    add_version, copied = backup_module._add_version, []

    def deleting(tar: tarfile.TarFile, folder: Path, name: str) -> bool:
        if copied or folder.parent.name == "stays":
            return add_version(tar, folder, name)
        if at == "before a version":
            store.delete_product(KEPT_PRODUCT)
        copied.append(add_version(tar, folder, name))
        if at == "after the versions":
            store.delete_product(KEPT_PRODUCT)
        return copied[0]

    monkeypatch.setattr(backup_module, "_add_version", deleting)
    contents = write_backup(tmp_path / "kept.tar", store, tmp_path / "none", silent)
    assert copied == [at == "after the versions"]
    assert set(contents.versions) == {"stays", *([KEPT_PRODUCT] if copied[0] else [])}
    restore_backup(tmp_path / "kept.tar", *places(tmp_path), silent)
    assert BankStore(tmp_path / "banks").products() == ["stays"]


def test_a_restore_removes_what_a_killed_one_left_and_nothing_of_a_running_one(
    backup: Path, tmp_path: Path
) -> None:
    left = tmp_path / "banks" / ".restoring-1"
    (left / "cookie" / "v1").mkdir(parents=True)
    with locked(left), pytest.raises(BadBackup):
        restore_backup(backup, *places(tmp_path), silent)
    assert left.exists()
    restore_backup(backup, *places(tmp_path), silent)
    assert [path.name for path in (tmp_path / "banks").iterdir()] == [SMALL]


def test_a_damaged_version_restores_nothing(backup: Path, tmp_path: Path) -> None:
    data = bytearray(backup.read_bytes())
    with tarfile.open(backup) as tar:
        entry = tar.getmember(f"banks/{SMALL}/v1/rgb.faiss")
    data[entry.offset_data + entry.size // 2] ^= 1
    (tmp_path / "flipped.tar").write_bytes(data)
    with pytest.raises(BadBackup, match=r"rgb\.faiss"):
        restore_backup(tmp_path / "flipped.tar", *places(tmp_path), silent)
    assert not (tmp_path / "banks").exists()


def _foreign(kind: str) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(
        {
            **{"above": "banks/../x", "absolute": "/x", "elsewhere": "x", "hidden": "banks/.x"},
            **{"no name": "", "a place": "banks", "below a file": "banks/first/x"},
            "twice": "banks/first",
        }.get(kind, "banks/x")
    )
    entry.type = {
        **{"link": tarfile.SYMTYPE, "folder": tarfile.DIRTYPE, "device": tarfile.CHRTYPE},
        "sparse": tarfile.GNUTYPE_SPARSE,
    }.get(kind, tarfile.REGTYPE)
    entry.linkname = "/etc/passwd" if kind == "link" else ""
    entry.pax_headers = {
        **{"endless time": {"mtime": "1e300"}, "no time": {"mtime": "nan"}},
        "zero": {"path": "banks/x\0y"},
    }.get(kind, {})
    return entry


@pytest.mark.parametrize(
    "kind",
    [
        *["above", "absolute", "elsewhere", "hidden", "link", "folder", "device", "sparse"],
        *["no name", "a place", "zero", "below a file", "twice", "endless time", "no time"],
    ],
)
def test_an_entry_that_a_backup_never_has_is_refused(tmp_path: Path, kind: str) -> None:
    with tarfile.open(tmp_path / "foreign.tar", "w") as tar:
        tar.addfile(tarfile.TarInfo("banks/first"), io.BytesIO())
        tar.addfile(_foreign(kind), io.BytesIO())
        tar.addfile(tarfile.TarInfo(CONTENTS), io.BytesIO())
    with pytest.raises(BadBackup, match=r"belong there|read as a backup"):
        restore_backup(tmp_path / "foreign.tar", *places(tmp_path), silent)
    assert [path.name for path in tmp_path.iterdir()] == ["foreign.tar"]


@pytest.mark.parametrize(
    "changed",
    [
        {"versions": {"cookie": 5}},
        {"versions": {"cookie": [5]}},
        {"versions": {"../cookie": ["v1"]}},
        {"versions": []},
        {"state": 5},
        {"state": [5]},
        {"format": "[" * 100_000},
    ],
)
def test_contents_that_no_backup_has_are_refused(tmp_path: Path, changed: dict[str, Any]) -> None:
    facts = {"format": 1, "created": 0.0, "versions": {}, "state": [], "deleted": []} | changed
    content = json.dumps(facts).replace('"[', "[").encode()
    with tarfile.open(tmp_path / "foreign.tar", "w") as tar:
        entry = tarfile.TarInfo(CONTENTS)
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    with pytest.raises(BadBackup):
        restore_backup(tmp_path / "foreign.tar", *places(tmp_path), silent)


def test_a_folder_that_holds_something_is_left_alone(backup: Path, tmp_path: Path) -> None:
    banks, state = places(tmp_path)
    state.mkdir()
    (state / "keys.json").write_text("{}")
    with pytest.raises(BadBackup, match="not empty"):
        restore_backup(backup, banks, state, silent)
    assert (state / "keys.json").read_text() == "{}"


def test_an_unfinished_job_fails_after_the_restore_and_says_why(backup: Path, tmp_path: Path) -> None:
    banks, state = places(tmp_path)
    banks.mkdir()  # an empty folder is no obstacle, and stays the same folder: it may be a mount
    before = banks.stat().st_ino
    restore_backup(backup, banks, state, silent)
    assert banks.stat().st_ino == before
    assert [path.name for path in banks.iterdir()] == [SMALL]
    jobs = JobStore(state)
    jobs.open()
    ((_, job),) = jobs.newest()
    jobs.close()
    assert (job.state, (job.problem or {})["code"]) == ("failed", "interrupted")
    assert Keys(state).all()[0].name == "line"
