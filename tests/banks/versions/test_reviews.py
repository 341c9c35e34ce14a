"""What a person says of odd parts is kept beside the versions, and moves the threshold at once."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from banks.decision.odd_parts import OddPart
from banks.versions.manifest import MANIFEST, Manifest
from banks.versions.reviews import REVIEWS, PartReview, UnknownPart, all_reviews, review, reviewed, reviews_of
from banks.versions.store import BadBank, BankStore
from banks.versions.thresholds import MovedThreshold, calibration_of, move_threshold

KEPT = Path(__file__).parents[2] / "data" / "versions" / "schema-3"
ODD = (OddPart("train/good/7", 90.0, 190.0), OddPart("validation/good/1", 80.0, 180.0))


@pytest.fixture
def store(tmp_path: Path) -> BankStore:
    """Product `biscuit` with a version v1 that has two odd parts."""
    shutil.copytree(KEPT, tmp_path, dirs_exist_ok=True)
    (tmp_path / "biscuit" / "thresholds.json").unlink(missing_ok=True)
    path = tmp_path / "biscuit" / "v1"
    manifest = Manifest.read(path)
    odd = manifest.model_copy(update={"calibration": replace(manifest.calibration, odd=ODD)})
    (path / MANIFEST).unlink()
    odd.write(path)
    return BankStore(tmp_path)


def said(store: BankStore, part: str, word: str | None) -> None:
    review(store, "biscuit", "v1", [PartReview.model_validate({"part": part, "review": word})])


def test_a_good_part_counts_again_and_a_dropped_one_never(store: BankStore) -> None:
    path = store.path("biscuit", "v1")
    built = Manifest.read(path).calibration
    assert built.threshold < 80
    said(store, "validation/good/1", "dropped")
    assert reviewed(path, built) == built
    said(store, "train/good/7", "good")
    counted = reviewed(path, built)
    assert counted.scores == (*built.scores, 90.0)
    assert (counted.odd, counted.confirmed) == (ODD[1:], ODD[:1])
    assert counted.threshold > built.threshold
    assert counted.pixel_threshold > built.pixel_threshold
    assert counted.colours[1] - counted.pixel_threshold == pytest.approx(
        counted.pixel_threshold - counted.colours[0]
    )
    assert counted.relative(counted.threshold) == 1
    assert reviews_of(path) == {"validation/good/1": "dropped", "train/good/7": "good"}
    for part in ("train/good/7", "validation/good/1"):
        said(store, part, None)
    assert (reviewed(path, built), all_reviews(path.parent)) == (built, {})


def test_a_moved_threshold_stays_where_a_person_put_it(store: BankStore) -> None:
    path = store.path("biscuit", "v1")
    built = Manifest.read(path).calibration
    said(store, "train/good/7", "good")
    move_threshold(store, "biscuit", "v1", MovedThreshold(threshold=5.0, rate=None))
    found = calibration_of(path, built)
    assert found.threshold == 5
    assert found.calibrated == reviewed(path, built).threshold
    assert found.count == built.count + 1
    with pytest.raises(ValueError, match="moved"):
        found.counting(["validation/good/1"])


def test_a_part_that_is_not_odd_is_refused(store: BankStore) -> None:
    with pytest.raises(UnknownPart, match=r"train/good/7, validation/good/1"):
        said(store, "train/good/0", "good")
    assert not (store.root / "biscuit" / REVIEWS).exists()


@pytest.mark.parametrize("content", ["{", '{"v1":{"train/good/7":"good"}}', '{"checksum":"0"}'])
def test_damaged_reviews_are_refused_and_named(store: BankStore, content: str) -> None:
    path = store.path("biscuit", "v1")
    said(store, "train/good/7", "good")
    (path.parent / REVIEWS).write_text(content)
    with pytest.raises(BadBank, match=REVIEWS):
        calibration_of(path, Manifest.read(path).calibration)


def test_a_changed_review_is_noticed(store: BankStore) -> None:
    file = store.root / "biscuit" / REVIEWS
    said(store, "train/good/7", "dropped")
    document = json.loads(file.read_text())
    document["v1"]["train/good/7"] = "good"
    file.write_text(json.dumps(document))
    with pytest.raises(BadBank):
        all_reviews(file.parent)
