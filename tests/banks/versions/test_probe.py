"""The probe: every load scores one good part first, and a version that scores otherwise is refused."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from banks.detector import Detector
from banks.versions.builder import Builder
from banks.versions.manifest import Manifest, ProbeFacts
from banks.versions.probe import PROBE, difference, from_bytes
from banks.versions.store import BadBank, BankStore
from models import extraction
from models.readers.product_folder import open_product_folder
from models.rgb import extractor
from models.weights.store import WeightStore
from recipes.profiles import find_profile
from tests.conftest import SMALL

FACTS = ProbeFacts(part="a", held_out=True, banks={"rgb": 2.0, "point": 0.001}, score=1.0)


@pytest.fixture
def copy(small_banks: Path, tmp_path: Path) -> Path:
    """The directory of a version that a test may change."""
    shutil.copytree(small_banks / SMALL / "v1", tmp_path / SMALL / "v1")
    return tmp_path / SMALL / "v1"


@pytest.mark.parametrize(
    ("rgb", "point", "score", "named"),
    [
        (2.0, 0.001, 1.0, None),
        (2.0019, 0.0010001, 1.09, None),
        (2.003, 0.001, 1.0, "rgb"),
        (2.0, 0.0012, 1.0, "point"),
        (2.0, 0.001, 1.11, "score"),
        (float("nan"), 0.001, 1.0, "rgb"),
        (2.0, 0.001, float("nan"), "score"),
    ],
)
def test_what_is_beyond_the_tolerance_is_named(rgb: float, point: float, score: float, named: str) -> None:
    said = difference(FACTS, {"rgb": rgb, "point": point}, score, threshold=10.0)
    assert (said is None) == (named is None)
    assert named is None or str(said).startswith(named)
    assert "point" in str(difference(FACTS, {"rgb": 2.0}, 1.0, threshold=10.0)), "a bank that is not there"


def test_the_probe_of_a_version_is_a_held_out_part(small_banks: Path) -> None:
    path = small_banks / SMALL / "v1"
    manifest = Manifest.read(path)
    assert manifest.probe is not None
    assert (manifest.probe.part, manifest.probe.held_out) == ("validation/good/000", True)
    assert manifest.probe.banks.keys() == manifest.banks.keys()
    held_out = [*manifest.calibration.scores, *(part.score for part in manifest.calibration.odd)]
    assert manifest.probe.score in [pytest.approx(score, rel=1e-2) for score in held_out]
    assert (path / PROBE).stat().st_size < 600_000


def test_without_validation_parts_it_is_a_training_part_in_a_mirror(
    small_product: Path, tmp_path: Path
) -> None:
    folder = open_product_folder(small_product)
    folder = replace(folder, train=folder.train[:2], validation=())
    store = BankStore(tmp_path)
    Builder(find_profile("embedded-point", changes=["coreset=1"]), store).build(SMALL, folder)
    probe = Manifest.read(store.path(SMALL)).probe
    assert probe is not None
    assert (probe.part, probe.held_out) == ("train/good/000", False)
    assert probe.banks["point"] > 0.1, "its own patches, which are all in the bank, are not met"
    Detector.load(store.path(SMALL))


def test_other_weights_are_found_whatever_the_manifest_says(copy: Path, tmp_path: Path) -> None:
    """Kernels 2 % larger, under the name and the digest that the manifest has."""
    state = WeightStore(tmp_path).load("efficientnet_lite1")
    torch.save({n: t * 1.02 if t.dim() == 4 else t for n, t in state.items()}, tmp_path / "other.pth")
    added = WeightStore(tmp_path).add(tmp_path / "other.pth", "efficientnet_lite1")
    Detector.load(copy)
    Manifest.read(copy).model_copy(update={"weights": {added.name: added.sha256}}).write(copy)
    with pytest.raises(BadBank, match="probe part has rgb"):
        Detector.load(copy, weights_dir=tmp_path)
    later = Detector.load(copy, weights_dir=tmp_path, check_probe=False)
    with pytest.raises(BadBank, match="probe part has rgb"):
        later.warm_up()


def test_what_runs_a_network_is_no_difference_and_another_numeric_mode_is_found(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenVINO ran the network of the build. Here torch runs it, at last in bfloat16."""
    monkeypatch.setattr(extractor, "compiled", lambda run, shape: run)
    monkeypatch.setattr(extraction, "shared", lambda key, make: make())
    Detector.load(copy)
    with torch.autocast("cpu", dtype=torch.bfloat16), pytest.raises(BadBank, match="instead of"):
        Detector.load(copy)


def test_threads_are_no_difference(copy: Path) -> None:
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        Detector.load(copy)
    finally:
        torch.set_num_threads(threads)


def test_a_file_that_is_no_probe_is_refused() -> None:
    for content in (b"", b"PK", np.zeros(3).tobytes()):
        with pytest.raises(ValueError, match=PROBE):
            from_bytes(content)
