"""A product whose point bank holds group features, through the command line: build, score, trace.

Weights are the golden recipe's, in the official Point-MAE layout.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image
from safetensors.numpy import load_file

from banks.decision.score_map import score_map
from banks.detector import Detector, PartResult
from banks.versions.manifest import Manifest
from banks.versions.store import BankStore
from models.layout import GroupLayout
from models.readers import read_files
from tests.conftest import MadeOnce, Tribank
from tests.golden_inputs import link_weights

pytestmark = pytest.mark.slow

PRODUCT, SIZE, GROUPS = "disc", 48, 196
SCARCE = 150
"""Valid points of the last training part: fewer than groups."""
CHANGES = (f"preparation.size={SIZE}", "preparation.min_points=100", f"extraction.point.groups={GROUPS}")
PROFILE = ("--profile", "point-64x784-groups", *(f"--set={change}" for change in CHANGES))


@pytest.fixture(scope="module")
def weights_dir(recipe: ModuleType, made_once: MadeOnce, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    link_weights(recipe, made_once, folder, ["pointmae"], 7)
    return folder


@pytest.fixture(scope="module")
def data(recipe: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three good training parts, one of them with few points, and two to score; no validation parts."""
    folder = tmp_path_factory.mktemp("data") / PRODUCT
    for split, numbers in {"train": (0, 2, 4), "test": (6, 7)}.items():
        for number in numbers:
            rgb, xyz = recipe.sample(number, SIZE)
            if number == 4:
                xyz.reshape(-1, 3)[np.flatnonzero(xyz.any(-1))[SCARCE:]] = 0
            for kind, write in (("rgb", _png), ("xyz", _tiff)):
                path = folder / split / "good" / kind / f"{number:03}"
                path.parent.mkdir(parents=True, exist_ok=True)
                write(path, rgb if kind == "rgb" else xyz)
    return folder


def _png(path: Path, image: NDArray[np.uint8]) -> None:
    Image.fromarray(image).save(path.with_suffix(".png"))


def _tiff(path: Path, xyz: NDArray[np.float32]) -> None:
    tifffile.imwrite(path.with_suffix(".tiff"), xyz, photometric="rgb")


@pytest.fixture(scope="module")
def banks(data: Path, weights_dir: Path, tmp_path_factory: pytest.TempPathFactory, tribank: Tribank) -> Path:
    root = tmp_path_factory.mktemp("banks")
    tribank("build", PRODUCT, data, *PROFILE, *_common(root, weights_dir))
    return root


def _common(banks: Path, weights_dir: Path) -> tuple[str | Path, ...]:
    return "--prepared", "--banks", banks, "--weights-dir", weights_dir


def _pair(data: Path, number: int) -> tuple[Path, Path]:
    good = data / "test" / "good"
    return good / "rgb" / f"{number:03}.png", good / "xyz" / f"{number:03}.tiff"


def _arrays(path: Path) -> Mapping[str, NDArray[Any]]:
    with np.load(path, allow_pickle=False) as file:
        return {key: file[key] for key in file}


def test_the_bank_holds_groups_and_knows_where_they_came_from(banks: Path, data: Path) -> None:
    path = BankStore(banks).path(PRODUCT)
    manifest = Manifest.read(path)
    assert manifest.training_parts == ("train/good/000", "train/good/002", "train/good/004")
    assert not manifest.skipped_parts
    facts = manifest.banks["point"]
    assert (facts.side, facts.dimension) == (None, 1152)
    assert facts.seen == 2 * GROUPS + SCARCE
    assert facts.rows == int(0.1 * facts.seen)
    assert manifest.calibration.count == 3, "each training part was held out of one fold's bank"
    origin = load_file(path / "provenance.safetensors")
    part, cell, pixel = (origin[f"point.{what}"] for what in ("part", "cell", "pixel"))
    assert len(part) == facts.rows
    assert set(np.unique(part)) == {0, 1, 2}
    assert cell[part < 2].max() < GROUPS
    assert cell[part == 2].max() < SCARCE
    for number, name in enumerate(("000", "002", "004")):
        xyz = tifffile.imread(data / "train" / "good" / "xyz" / f"{name}.tiff").reshape(-1, 3)
        assert xyz[pixel[part == number]].all(), "a group's centre is a point of its part"


def test_scores_belong_to_the_groups_that_the_trace_shows(
    banks: Path, data: Path, weights_dir: Path, tmp_path: Path, tribank: Tribank
) -> None:
    scored, traced = tmp_path / "scored.npz", tmp_path / "traced.npz"
    tribank("score", PRODUCT, *_pair(data, 7), "-o", scored, *_common(banks, weights_dir))
    options = (*PROFILE, "--prepared", "--weights-dir", weights_dir, "-o", traced)
    tribank("trace", *_pair(data, 7), *options)
    stages, result = _arrays(traced), _arrays(scored)
    assert "interpolated" not in stages
    assert stages["group_features"].shape == (GROUPS, 1152)
    np.testing.assert_array_equal(stages["point_patch"], stages["group_features"])
    pixel = stages["valid_index"][stages["fps_index"]]
    np.testing.assert_array_equal(result["point_pixel"], pixel)
    assert result["point_distances"].shape == (GROUPS,)
    expected = score_map(result["point_distances"], GroupLayout(pixel, SIZE), SIZE)
    np.testing.assert_array_equal(result["point_map"], expected)
    np.testing.assert_array_equal(result["map"], expected)
    assert result["score"] == result["point_score"] > 0


def test_parts_score_the_same_alone_and_together(banks: Path, data: Path, weights_dir: Path) -> None:
    detector = Detector.load(BankStore(banks).path(PRODUCT), weights_dir=weights_dir)
    scarce = data / "train" / "good"
    pairs = (_pair(data, 7), (scarce / "rgb" / "004.png", scarce / "xyz" / "004.tiff"), _pair(data, 6))
    samples = [read_files({"rgb": rgb, "xyz": xyz}) for rgb, xyz in pairs]
    together = detector.score(samples)
    for sample, result in zip(samples[:2], together, strict=False):
        (alone,) = detector.score([sample])
        assert isinstance(alone, PartResult)
        assert isinstance(result, PartResult)
        assert alone.score == result.score
        np.testing.assert_array_equal(alone.map, result.map)
