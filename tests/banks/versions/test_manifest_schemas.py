"""Manifests of older and newer schemas."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from banks.versions.manifest import MANIFEST, Manifest
from banks.versions.manifest_schemas import MIN_READER, SCHEMA_VERSION
from banks.versions.seal import sealed
from banks.versions.store import verify_files
from recipes.banks import BankRecipe
from recipes.preparation import LENGTHS

KEPT = Path(__file__).parents[2] / "data" / "versions" / "schema-3" / "biscuit" / "v1"


@pytest.fixture
def document(tmp_path: Path) -> dict[str, Any]:
    """A manifest of today, without its checksum."""
    Manifest.read(KEPT).write(tmp_path)
    found = json.loads((tmp_path / MANIFEST).read_bytes())
    del found["checksum"]
    return found


def test_an_older_manifest_becomes_one_of_today(tmp_path: Path) -> None:
    old = Manifest.read(KEPT)
    assert (json.loads((KEPT / MANIFEST).read_bytes())["schema_version"], old.schema_version) == (
        3,
        SCHEMA_VERSION,
    )
    old.write(tmp_path)
    assert Manifest.read(tmp_path) == old


def test_lengths_of_a_manifest_that_knew_only_the_published_ones(
    document: dict[str, Any], tmp_path: Path
) -> None:
    preparation = dict(document["profile"]["preparation"])
    for name in LENGTHS:
        del preparation[name]
    del document["measured"]
    profile = {**document["profile"], "preparation": preparation}
    older = {**document, "schema_version": 4, "min_reader": 4, "profile": profile}
    (tmp_path / MANIFEST).write_text(sealed(older))
    read = Manifest.read(tmp_path)
    assert (read.schema_version, read.measured) == (SCHEMA_VERSION, None)
    assert [read.profile.preparation.length(name) for name in LENGTHS] == [0.004, 0.005, 0.006]


def test_banks_of_a_manifest_that_knew_no_local_scales_have_none(
    document: dict[str, Any], tmp_path: Path
) -> None:
    banks = {name: dict(recipe) for name, recipe in document["profile"]["banks"].items()}
    for recipe in banks.values():
        del recipe["local_scale"]
    profile = {**document["profile"], "banks": banks}
    older = {**document, "schema_version": 7, "min_reader": 7, "profile": profile}
    (tmp_path / MANIFEST).write_text(sealed(older))
    read = Manifest.read(tmp_path)
    assert (read.schema_version, read.min_reader) == (SCHEMA_VERSION, MIN_READER)
    assert [read.profile.recipe(name, BankRecipe).local_scale for name in banks] == [0.0] * len(banks)


def test_a_newer_manifest_is_read_where_it_allows_that(document: dict[str, Any], tmp_path: Path) -> None:
    newer = {**document, "schema_version": SCHEMA_VERSION + 1, "new": {"a": 1}}
    newer["calibration"] = {**document["calibration"], "also_new": [1.0]}
    newer["banks"] = {name: {**facts, "new": 3} for name, facts in document["banks"].items()}
    profile = document["profile"]
    point = {**profile["extraction"]["point"], "new": 1}
    newer["profile"] = {**profile, "extraction": {**profile["extraction"], "point": point}}
    (tmp_path / MANIFEST).write_text(sealed(newer))
    read = Manifest.read(tmp_path)
    assert read.profile == Manifest.read(KEPT).profile
    assert read.calibration == Manifest.read(KEPT).calibration
    assert read.banks == Manifest.read(KEPT).banks
    (tmp_path / MANIFEST).write_text(sealed({**newer, "min_reader": SCHEMA_VERSION + 1}))
    with pytest.raises(ValueError, match="newer Tribank"):
        Manifest.read(tmp_path)


@pytest.mark.parametrize("schema", [None, "5", True, 2, 5])
def test_a_manifest_without_a_known_schema_and_a_checksum_is_refused(
    document: dict[str, Any], schema: object, tmp_path: Path
) -> None:
    (tmp_path / MANIFEST).write_text(json.dumps({**document, "schema_version": schema}))
    with pytest.raises(ValueError):  # noqa: PT011 - each says something else
        Manifest.read(tmp_path)
    (problem,) = verify_files(tmp_path)
    assert problem.startswith(MANIFEST)


@pytest.mark.parametrize("change", [{"unknown": 1}, {"calibration": 3}])
def test_an_old_manifest_with_a_fault_says_where(change: dict[str, Any], tmp_path: Path) -> None:
    found = json.loads((KEPT / MANIFEST).read_bytes())
    (tmp_path / MANIFEST).write_text(json.dumps(found | change))
    (problem,) = verify_files(tmp_path)
    assert problem.startswith(f"{MANIFEST}: {next(iter(change))}")
