"""Versions go to a shared folder and from there to another host, at the command line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from banks.versions.archive import Archive
from banks.versions.manifest import Manifest
from banks.versions.store import BadBank, BankStore
from cli.main import app
from cli.server_versions import ServerRefused
from service.http.keys import Keys
from service.records.audit import Audit, ChangeFilter
from service.settings import Settings
from tests.faults.warm import Warm
from tests.service.conftest import serving

KEPT = Path(__file__).parents[1] / "data" / "versions" / "schema-3"


def said(*arguments: str | Path) -> str:
    result = CliRunner().invoke(app, ["banks", *map(str, arguments)])
    if result.exception is not None:
        raise result.exception
    return result.stdout


def test_a_version_goes_by_a_shared_folder_and_is_probed_where_it_arrives(tmp_path: Path) -> None:
    shared, line = tmp_path / "shared", tmp_path / "line"
    assert said("push", "biscuit", shared, "--banks", KEPT).split() == ["biscuit", "v1:", "copied,", "active"]
    pulled = said("pull", "biscuit", shared, "--banks", line, "--device", "cpu", "--no-activate").split()
    assert pulled == ["biscuit", "v1:", "copied"]
    assert BankStore(line).current("biscuit") is None
    (tmp_path / "state").mkdir()
    pull = ["pull", "biscuit", shared, "--banks", line, "--device", "cpu", "--state", tmp_path / "state"]
    for _ in range(2):
        assert said(*pull).split() == ["biscuit", "v1:", "there", "already,", "active"]
    audit = Audit(tmp_path / "state")
    audit.open()
    ((_, change),) = audit.newest(ChangeFilter())
    audit.close()
    assert (change.action, change.before, change.after) == ("activate", {"active": None}, {"active": "v1"})


def test_a_version_goes_by_an_object_store_and_is_probed_where_it_arrives(s3: str, tmp_path: Path) -> None:
    line, here = tmp_path / "line", ["--device", "cpu", "--state", tmp_path]
    assert said("push", "biscuit", s3, "--banks", KEPT).split() == ["biscuit", "v1:", "copied,", "active"]
    pulled = said("pull", "biscuit", s3, "--banks", line, *here, "--no-activate").split()
    assert pulled == ["biscuit", "v1:", "copied"]
    assert BankStore(line).current("biscuit") is None
    pulled = said("pull", "biscuit", s3, "--banks", line, *here).split()
    assert pulled == ["biscuit", "v1:", "there", "already,", "active"]
    path = BankStore(line).path("biscuit")
    manifest = Manifest.read(path)
    manifest.model_copy(update={"weights": dict.fromkeys(manifest.weights, "0" * 64)}).write(path)
    said("push", "biscuit", s3, "--banks", line)
    with pytest.raises(BadBank, match="other weights"):
        said("pull", "biscuit", s3, "--banks", tmp_path / "other", *here)
    assert BankStore(tmp_path / "other").versions("biscuit") == []


def test_a_version_is_pulled_from_an_archive(tmp_path: Path) -> None:
    file, line = tmp_path / "biscuit-v1.tar", tmp_path / "line"
    with Archive(BankStore(KEPT), "biscuit") as archive:
        file.write_bytes(b"".join(archive.pieces()))
    pull = ["pull", "biscuit", file, "--banks", line, "--device", "cpu", "--state", tmp_path]
    assert said(*pull).split() == ["biscuit", "v1:", "copied,", "active"]
    assert BankStore(line).verify("biscuit") == []
    with pytest.raises(SystemExit):
        said(*pull, "--version", "v1")


def test_a_version_goes_from_server_to_server_by_two_commands(
    tmp_path: Path, warm: Warm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.commands.TRIBANK", warm.tribank)
    host, line, state = tmp_path / "host", tmp_path / "line", tmp_path / "state"
    shutil.copytree(KEPT, host)
    line.mkdir()
    key = Keys(state).add("build-host", "manage")
    with (
        serving(Settings(banks=host), None, wait=False) as first,
        serving(Settings(banks=line, deadline_s=120), None, wait=False, state=state) as second,
    ):
        here = ["--banks", tmp_path / "desk"]
        pull = ["pull", "biscuit", f"{first.url}/", *here, "--device", "cpu", "--state", state]
        assert said(*pull).split() == ["biscuit", "v1:", "copied,", "active"]
        push = ["push", "biscuit", second.url, *here]
        with pytest.raises(ServerRefused, match=r"says no \(401\): Send an API key"):
            said(*push)
        monkeypatch.setenv("TRIBANK_KEY", key)
        assert said(*push).split() == ["biscuit", "v1:", "copied,", "active"]
        assert said(*push, "--no-activate").split() == ["biscuit", "v1:", "there", "already"]
        assert BankStore(line).current("biscuit") == "v1"
        with pytest.raises(ServerRefused, match="has no version 'v7'"):
            said(*pull, "--version", "v7")
        (line / "biscuit" / "current").unlink()
        with pytest.raises(ServerRefused, match="has no active version"):
            said("pull", "biscuit", second.url)
    with pytest.raises(ServerRefused, match="cannot be reached"):
        said(*push)


def test_a_version_that_scores_otherwise_here_is_not_pulled(tmp_path: Path) -> None:
    shared, line = tmp_path / "shared", tmp_path / "line"
    said("push", "biscuit", shared, "--banks", KEPT)
    path = BankStore(shared).path("biscuit")
    manifest = Manifest.read(path)
    manifest.model_copy(update={"weights": dict.fromkeys(manifest.weights, "0" * 64)}).write(path)
    with pytest.raises(BadBank):
        said("pull", "biscuit", shared, "--banks", line, "--device", "cpu")
    assert BankStore(line).versions("biscuit") == []
