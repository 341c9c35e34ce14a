"""The files of a version: readable by the user's usual rights, and read the same for ever."""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save, save_file

from banks.detector import Detector, PartResult
from banks.pipeline import Pipeline
from banks.versions.files import load_version
from banks.versions.manifest import Manifest
from banks.versions.store import BadBank, BankStore, verify_files
from models.digest import sha256_of
from models.sample import Sample, make_sample
from models.weights.store import WeightStore
from recipes.profile import Profile
from tests.conftest import SMALL

KEPT = Path(__file__).parents[2] / "data" / "versions"
"""Versions of earlier sources (its README.md)."""


def kept_part(schema: Path) -> Sample:
    with np.load(schema / "part.npz", allow_pickle=False) as part:
        return make_sample(part["rgb"], part["xyz"])


@pytest.mark.parametrize("schema", sorted(KEPT.glob("schema-*")), ids=lambda path: path.name)
def test_a_kept_version_scores_as_the_source_that_built_it_did(schema: Path) -> None:
    expected = json.loads((schema / "expected.json").read_text())
    store = BankStore(schema)
    assert store.verify("biscuit") == []
    detector = Detector.load(store.path("biscuit"))
    (result,) = detector.score([kept_part(schema)])
    assert isinstance(result, PartResult)
    assert result.bank_scores == pytest.approx(expected["banks"], rel=1e-3)
    assert result.score == pytest.approx(expected["score"], rel=1e-2)
    assert detector.manifest.calibration.threshold == expected["threshold"]
    assert (result.threshold, result.threshold_source) == (20.0, "set")
    assert result.decision == expected["decision"]


def test_a_version_is_not_served_with_other_weights(tmp_path: Path) -> None:
    """A retrained network is a network, but not the one whose features are in the banks."""
    packaged = WeightStore(tmp_path).describe("efficientnet_lite1")
    other = {
        name: tensor * 1.05 if tensor.dim() == 4 else tensor
        for name, tensor in WeightStore(tmp_path).load("efficientnet_lite1").items()
    }
    torch.save(other, tmp_path / "retrained.pth")
    added = WeightStore(tmp_path).add(tmp_path / "retrained.pth", "efficientnet_lite1")
    path = BankStore(KEPT / "schema-3").path("biscuit")
    with pytest.raises(BadBank) as refused:
        Detector.load(path, weights_dir=tmp_path)
    for named in ("efficientnet_lite1", packaged.sha256[:12], added.sha256[:12]):
        assert named in str(refused.value)


def _flips(content: bytes, most: int) -> Iterator[bytes]:
    """The content with one bit flipped, at places evenly spread over it."""
    bits = 8 * len(content)
    for number in range(min(most, bits)):
        bit = bits * number // min(most, bits)
        damaged = bytearray(content)
        damaged[bit // 8] ^= 1 << bit % 8
        yield bytes(damaged)


def test_no_flipped_bit_of_a_version_is_served(tmp_path: Path) -> None:
    """Of any file: it is refused by name, or means the same (a blank of the manifest)."""
    path = tmp_path / "biscuit" / "v1"
    shutil.copytree(KEPT / "schema-3" / "biscuit" / "v1", path)
    manifest = Manifest.read(path)
    manifest.write(path)
    assert verify_files(path) == []
    for file in path.iterdir():
        content = file.read_bytes()
        for damaged in _flips(content, 1500 if file.name == "manifest.json" else 60):
            file.write_bytes(damaged)
            problems = verify_files(path, serving=True)
            if problems:
                assert problems[0].startswith(f"{file.name}: ")
            else:
                assert file.name == "manifest.json"
                assert Manifest.read(path) == manifest
        file.write_bytes(content)
    assert verify_files(path) == []


class _Readable(Exception):
    """A version came so far that its networks would be loaded."""


def _no_networks(profile: Profile, weights_dir: Path, device: str) -> Pipeline:
    raise _Readable


@pytest.mark.parametrize(
    ("what", "values"),
    [("part", [10_000]), ("part", [-2]), ("pixel", [1 << 20]), ("part", [0.0]), ("part", None)],
)
def test_rows_that_come_from_nowhere_are_refused(
    tmp_path: Path, what: str, values: list[float] | None
) -> None:
    """As in a version that somebody made by hand: its digests fit."""
    version = tmp_path / "biscuit" / "v1"
    shutil.copytree(KEPT / "schema-3" / "biscuit" / "v1", version)
    file = version / "provenance.safetensors"
    tensors = load_file(file)
    numbers = tensors[f"rgb.{what}"]
    if values is None:
        tensors[f"rgb.{what}"] = numbers[:-1].clone()
    else:
        changed = torch.tensor(values)
        tensors[f"rgb.{what}"] = torch.cat([changed, numbers[1:].to(changed.dtype)]).to(
            numbers.dtype if isinstance(values[0], int) else changed.dtype
        )
    save_file(tensors, file)
    _with_its_digest(version, file)
    with pytest.raises(BadBank, match="the rows of rgb"):
        Detector.load(version)


def _with_its_digest(version: Path, file: Path) -> None:
    manifest = json.loads((version / "manifest.json").read_text())
    manifest["files"][file.name] = sha256_of(file)
    (version / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize("name", ["rgb.faiss", "normalisers.safetensors", "provenance.safetensors"])
@pytest.mark.parametrize("content", [b"", b"\xff" * 64, save({"rgb.other": torch.zeros(1)})])
def test_files_that_another_program_wrote_are_refused(tmp_path: Path, name: str, content: bytes) -> None:
    version = tmp_path / "biscuit" / "v1"
    shutil.copytree(KEPT / "schema-3" / "biscuit" / "v1", version)
    (version / name).write_bytes(content)
    _with_its_digest(version, version / name)
    with pytest.raises(BadBank, match="biscuit/v1 is damaged: the files of rgb"):
        load_version(version, device="cpu", weights_dir=tmp_path, make_pipeline=_no_networks)


def test_a_flipped_bit_of_an_old_manifest_raises_nothing_but_a_refusal(tmp_path: Path) -> None:
    """Schema 3 has no checksum: a changed number is not found."""
    path = tmp_path / "biscuit" / "v1"
    shutil.copytree(KEPT / "schema-3" / "biscuit" / "v1", path)
    manifest = path / "manifest.json"
    refused = 0
    for damaged in _flips(manifest.read_bytes(), 400):
        manifest.write_bytes(damaged)
        try:
            load_version(path, device="cpu", weights_dir=tmp_path, make_pipeline=_no_networks)
        except BadBank:
            refused += 1
        except _Readable:
            continue
    assert refused > 200


def test_every_file_of_a_version_has_the_users_usual_mode(small_banks: Path, tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    usual = stat.S_IMODE((tmp_path / "plain").stat().st_mode)
    files = [file for file in (small_banks / SMALL).rglob("*") if file.is_file()]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {usual}
