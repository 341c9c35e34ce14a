"""How much of a product a part shows: of two pieces, both are inspected, and a missing piece is a defect."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile

from banks.decision.coverage import Coverage
from banks.decision.odd_parts import OddPart
from banks.detector import Detector, PartResult
from banks.versions.builder import Builder
from banks.versions.store import BankStore
from models.readers.product_folder import open_product_folder
from models.sample import Sample
from recipes.profiles import find_profile
from tests.conftest import SMALL, MadeOnce

GOOD = Coverage(least_area=0.0100, most_area=0.0102, fewest_pieces=2)
TOLERANCE = 0.05 * 0.0102 + 0.0001


def test_what_good_parts_show() -> None:
    assert Coverage.of([0.0101, 0.0100, 0.0102], [2, 3, 2]) == GOOD
    assert Coverage.of([], []) is None
    assert Coverage.of([0.0, 0.0], [None, None]) is None
    assert Coverage.of([0.5], [None]) == Coverage(0.5, 0.5, 0)
    assert GOOD.joined(None) == GOOD
    assert GOOD.joined(Coverage(0.009, 0.0101, 3)) == Coverage(0.009, 0.0102, 2)


@pytest.mark.parametrize(
    ("area", "pieces", "reaches"),
    [
        (0.0100, 2, 0),
        (0.0102, 5, 0),
        (0.0100 - TOLERANCE, 2, 0),
        (0.0102 + TOLERANCE, 2, 0),
        (0.0100 - 2 * TOLERANCE, 2, 3),
        (0.0102 + 3 * TOLERANCE, 2, 6),
        (0.0101, 1, 3),
        (0.0101, None, 0),
        (0.0100 - 2 * TOLERANCE, None, 3),
    ],
)
def test_less_more_and_missing_pieces_count(area: float, pieces: int | None, reaches: float) -> None:
    assert GOOD.contribution(area, pieces, 0.5) == pytest.approx(0.5 * reaches, abs=1e-9)


LEFT, RIGHT = 0.006, 0.018
"""The glare between the two pieces, metres."""


@pytest.fixture(scope="module")
def split_product(few_parts: Path, made_once: MadeOnce) -> Path:
    """The few parts with a band of 12 mm without returns."""

    def make(out: Path) -> None:
        shutil.copytree(few_parts, out / SMALL)
        for path in out.rglob("xyz/*.tiff"):
            xyz = tifffile.imread(path)
            xyz[(xyz[..., 0] > LEFT) & (xyz[..., 0] < RIGHT)] = np.nan
            tifffile.imwrite(path, xyz, photometric="rgb")

    return made_once("split", make) / SMALL


@pytest.fixture(scope="module")
def detector(split_product: Path, tmp_path_factory: pytest.TempPathFactory) -> Detector:
    store = BankStore(tmp_path_factory.mktemp("banks"))
    profile = find_profile("embedded", changes=["coreset=0.05"])
    Builder(profile, store, keep_parts=False).build(SMALL, open_product_folder(split_product))
    return Detector.load(store.path(SMALL))


@pytest.fixture(scope="module")
def good(split_product: Path) -> Sample:
    folder = open_product_folder(split_product)
    return next(part.read() for part in folder.test if part.defect == "good")


def score(detector: Detector, sample: Sample) -> PartResult:
    (result,) = detector.score([sample])
    assert isinstance(result, PartResult)
    return result


def test_both_pieces_of_a_good_part_are_kept(detector: Detector, good: Sample) -> None:
    result = score(detector, good)
    assert result.prepared.pieces == 2
    assert "coverage" not in result.contributions
    coverage = detector.manifest.coverage
    assert coverage is not None
    assert coverage.fewest_pieces == 2
    assert coverage.least_area * 0.9 < result.prepared.area < coverage.most_area * 1.1


def test_paint_on_the_smaller_piece_is_a_defect(detector: Detector, good: Sample) -> None:
    rgb = good.rgb.copy()
    rgb[(good.xyz[..., 0] > RIGHT + 0.002) & (np.abs(good.xyz[..., 1]) < 0.015)] = (255, 0, 255)
    assert score(detector, replace(good, rgb=rgb)).decision == "defective"


def test_a_raised_smaller_piece_is_a_defect(detector: Detector, good: Sample) -> None:
    xyz = good.xyz.copy()
    xyz[(xyz[..., 0] > RIGHT + 0.002) & (np.abs(xyz[..., 1]) < 0.015), 2] -= 0.015
    assert score(detector, replace(good, xyz=xyz)).decision == "defective"


def test_a_missing_smaller_piece_is_a_defect(detector: Detector, good: Sample) -> None:
    gone = good.xyz[..., 0] > RIGHT
    missing = replace(
        good, xyz=np.where(gone[..., None], 0, good.xyz).astype(np.float32), valid=good.valid & ~gone
    )
    result = score(detector, missing)
    assert result.decision == "defective"
    assert result.contributions["coverage"] > 0
    assert sum(result.contributions.values()) == pytest.approx(result.score)


def test_an_odd_part_that_a_person_called_good_widens_the_coverage(detector: Detector) -> None:
    built, coverage = detector.calibration, detector.manifest.coverage
    assert coverage is not None
    assert detector.coverage == coverage
    confirmed = OddPart("train/good/000", 90.0, 90.0, area=coverage.least_area / 2, pieces=1)
    older = OddPart("train/good/001", 80.0, 80.0)
    try:
        detector.calibration = replace(built, confirmed=(older, confirmed))
        assert detector.coverage == Coverage(coverage.least_area / 2, coverage.most_area, 1)
    finally:
        detector.calibration = built
