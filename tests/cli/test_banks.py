"""Odd parts and old versions at the command line."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from banks.decision.odd_parts import OddPart
from banks.versions.manifest import Manifest
from banks.versions.reviews import UnknownPart
from banks.versions.store import BankStore
from cli.main import app

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


def odd(root: Path, *options: str) -> str:
    result = CliRunner().invoke(app, ["banks", "odd", "biscuit", "--banks", str(root), *options])
    if result.exception is not None:
        raise result.exception
    return result.stdout


def test_odd_parts_are_shown_and_reviewed(root: Path) -> None:
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
    command = ["banks", "prune", "--keep", "2", "--banks", str(tmp_path)]
    would = CliRunner().invoke(app, [*command, "--dry-run"])
    assert [line.split(":")[0] for line in would.output.splitlines()] == ["cookie v3", "cookie v5"]
    assert len(store.versions("cookie")) == 7
    assert CliRunner().invoke(app, [*command, "--product", "cookie"]).exit_code == 0
    assert store.versions("cookie") == ["v1", "v2", "v4", "v6", "v7"]
    assert store.not_needed("cookie", keep=9) == []
