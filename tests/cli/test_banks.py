"""Odd parts and old versions at the command line."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from banks.decision.odd_parts import OddPart
from banks.versions.manifest import MANIFEST, Manifest
from banks.versions.manifest_schemas import SCHEMA_VERSION
from banks.versions.reviews import UnknownPart
from banks.versions.seal import sealed
from banks.versions.store import BankNotFound, BankStore
from cli.main import app
from service.records.audit import Audit, Change, ChangeFilter

KEPT = Path(__file__).parents[1] / "data" / "versions" / "schema-3"
ODD = OddPart("train/good/7", 90.0, 9.0)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A version of `biscuit` with one odd part."""
    shutil.copytree(KEPT, tmp_path, dirs_exist_ok=True)
    (tmp_path / "biscuit" / "thresholds.json").unlink()
    path = BankStore(tmp_path).path("biscuit")
    manifest = Manifest.read(path)
    manifest.model_copy(update={"calibration": replace(manifest.calibration, odd=(ODD,))}).write(path)
    return tmp_path


def changes(state: Path) -> list[Change]:
    """The record of changes, the newest first."""
    audit = Audit(state)
    audit.open()
    found = [change for _, change in audit.newest(ChangeFilter())]
    audit.close()
    return found


def odd(root: Path, *options: str) -> str:
    places = ["--banks", str(root), "--state", str(root / "state")]
    result = CliRunner().invoke(app, ["banks", "odd", "biscuit", *places, *options])
    if result.exception is not None:
        raise result.exception
    return result.stdout


def test_odd_parts_are_shown_and_reviewed(root: Path) -> None:
    (root / "state").mkdir()
    built = Manifest.read(BankStore(root).path("biscuit")).calibration
    part = {"part": ODD.name, "score": ODD.score}
    for options, review in (([], None), (["--drop", ODD.name], "dropped"), (["--undo", ODD.name], None)):
        found = json.loads(odd(root, *options, "--json"))
        assert found == {
            "version": "v1",
            "threshold": built.threshold,
            "odd_parts": [{**part, "review": review}],
        }
    said = odd(root, "--good", ODD.name)
    assert f"{ODD.name}  score 90  good" in said
    assert f"of {built.count + 1} held-out good parts" in said
    assert json.loads(odd(root, "--json"))["threshold"] > built.threshold
    newest, _, oldest = changes(root / "state")
    assert (newest.action, newest.product, newest.bank_version, newest.subject) == (
        "review",
        "biscuit",
        "v1",
        ODD.name,
    )
    assert (newest.before["review"], newest.after["review"]) == (None, "good")
    assert newest.after["threshold"] > built.threshold
    assert oldest.after["review"] == "dropped"
    assert newest.who.startswith("user ")


def test_a_part_that_is_not_odd_is_refused(root: Path) -> None:
    with pytest.raises(UnknownPart):
        odd(root, "--good", "train/good/0")


def test_prune_deletes_old_versions_that_nothing_uses(tmp_path: Path) -> None:
    store = BankStore(tmp_path)
    for number in range(1, 8):
        (tmp_path / "cookie" / f"v{number}").mkdir(parents=True)
    for version in ("v1", "v2"):  # the active one, and the one before it
        store.activate("cookie", version)
    store.set_shadow("cookie", "v4")
    state = tmp_path / "state"
    state.mkdir()
    command = ["banks", "prune", "--keep", "2", "--banks", str(tmp_path), "--state", str(state)]
    would = CliRunner().invoke(app, [*command, "--dry-run"])
    assert [line.split(":")[0] for line in would.output.splitlines()] == ["cookie v3", "cookie v5"]
    assert len(store.versions("cookie")) == 7
    assert changes(state) == []
    assert CliRunner().invoke(app, [*command, "--product", "cookie"]).exit_code == 0
    assert store.versions("cookie") == ["v1", "v2", "v4", "v6", "v7"]
    assert store.not_needed("cookie", keep=9) == []
    pin = ["banks", "pin", "cookie", "v6", *command[4:]]
    for options, left in ((["--undo"], "none"), ([], "v6")):
        assert CliRunner().invoke(app, [*pin, *options]).output.endswith(f": {left}\n")
    assert (changes(state)[0].action, changes(state)[0].after) == ("pin", {"pinned": True})
    assert [(one.action, one.product, one.bank_version) for one in changes(state)[2:]] == [
        ("delete", "cookie", "v5"),
        ("delete", "cookie", "v3"),
    ]


def test_a_change_that_cannot_be_recorded_is_made_and_told(tmp_path: Path) -> None:
    for number in (1, 2):
        (tmp_path / "banks" / "cookie" / f"v{number}").mkdir(parents=True)
    BankStore(tmp_path / "banks").activate("cookie", "v2")
    places = ["--banks", str(tmp_path / "banks"), "--state", str(tmp_path / "none")]
    done = CliRunner().invoke(app, ["banks", "prune", "--keep", "1", *places])
    assert done.exit_code == 0
    assert str(tmp_path / "none") in done.stderr
    assert BankStore(tmp_path / "banks").versions("cookie") == ["v2"]
    assert not (tmp_path / "none").exists()


def test_older_manifests_are_upgraded_and_can_be_put_back(tmp_path: Path) -> None:
    shutil.copytree(KEPT / "biscuit", tmp_path / "banks" / "biscuit")
    state = tmp_path / "state"
    state.mkdir()
    store = BankStore(tmp_path / "banks")
    path = store.path("biscuit")
    old, read = (path / MANIFEST).read_bytes(), Manifest.read(path)
    command = ["banks", "upgrade", "--banks", str(store.root), "--state", str(state)]

    def ran(*options: str) -> tuple[int, list[str]]:
        done = CliRunner().invoke(app, [*command, *options])
        return done.exit_code, done.output.splitlines()

    step = f"from schema 3 to {SCHEMA_VERSION}"
    assert ran("--dry-run") == (0, [f"biscuit v1: would be upgraded {step}"])
    assert ((path / MANIFEST).read_bytes(), changes(state)) == (old, [])
    assert ran() == (0, [f"biscuit v1: upgraded {step}"])
    assert ran("--dry-run") == ran() == (0, ["biscuit v1: up to date"])
    assert (store.verify("biscuit"), Manifest.read(path)) == ([], read)
    assert json.loads((path / MANIFEST).read_bytes())["schema_version"] == SCHEMA_VERSION
    (change,) = changes(state)
    assert (change.action, change.before, change.after) == (
        "upgrade",
        {"schema": 3},
        {"schema": SCHEMA_VERSION},
    )
    assert (path / "manifest.schema-3.json").read_bytes() == old
    (path / "manifest.schema-3.json").rename(path / MANIFEST)
    assert store.verify("biscuit") == []
    newer = json.loads(sealed({"schema_version": 99, "min_reader": 99}))
    (path / MANIFEST).write_text(json.dumps(newer))
    code, lines = ran("--dry-run")
    assert (code, lines[0].startswith("biscuit v1: made by a newer Tribank")) == (1, True)


@pytest.mark.parametrize(
    "command",
    [
        *(("banks", "list"), ("banks", "verify"), ("banks", "prune", "--keep", "1"), ("banks", "upgrade")),
        ("backup", "x"),
    ],
)
def test_a_folder_that_does_not_exist_is_no_folder_without_faults(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    command = (*command[:-1], str(tmp_path / "x.tar")) if command[0] == "backup" else command
    done = CliRunner().invoke(app, [*command, "--banks", str(tmp_path / "none")])
    assert isinstance(done.exception, FileNotFoundError)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", [("prune", "--keep", "1"), ("upgrade",)])
def test_a_product_that_does_not_exist_has_no_versions_to_change(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    done = CliRunner().invoke(app, ["banks", *command, "--product", "cokie", "--banks", str(tmp_path)])
    assert isinstance(done.exception, BankNotFound)


def test_a_user_without_a_name_is_on_the_record_by_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a container that runs as a number of its own."""

    def nobody(_: int) -> None:
        raise KeyError

    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", nobody)
    done = CliRunner().invoke(app, ["keys", "add", "line1", "--state", str(tmp_path)])
    assert done.exit_code == 0
    assert [change.who for change in changes(tmp_path)] == [f"user {os.getuid()}"]
