"""The detector: samples in, results out, each part on its own."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from banks.detector import Detector, PartResult, made_up_part
from banks.pipeline import PartExtractor, Pipeline, make_pipeline
from banks.versions.builder import Builder
from banks.versions.store import BadBank, BankStore
from models.features import PartFeatures
from models.numerics.process import use_threads_here
from models.preparation.prepare import PreparedPart
from models.preparation.roi import SHAPE
from models.readers.product_folder import open_product_folder
from models.sample import BadSample, Sample, make_sample
from recipes.profile import Profile
from recipes.profiles import find_profile
from tests.conftest import SMALL


@pytest.fixture(scope="module")
def detector(small_banks: Path) -> Detector:
    return Detector.load(BankStore(small_banks).path(SMALL))


@pytest.fixture(scope="module")
def samples(small_product: Path) -> list[Sample]:
    return [part.read() for part in open_product_folder(small_product).test]


def _one(detector: Detector, sample: Sample) -> PartResult:
    (result,) = detector.score([sample])
    assert isinstance(result, PartResult)
    return result


def test_a_result_holds_every_stage(detector: Detector, samples: list[Sample]) -> None:
    result = _one(detector, samples[0])
    assert set(result.bank_scores) == {"rgb", "relief", "colour", "fused"}
    assert result.map.shape == (224, 224)
    assert np.isfinite(result.map).all()
    assert result.decision == ("defective" if result.score > result.threshold else "good")
    extracted = ("rgb", "point", "relief", "colour", "fusion")
    assert set(result.timings_ms) == {"prepare", *extracted, "search", "decide"}
    arrays = result.arrays()
    assert arrays["rgb_distances"].shape == (784,)
    assert arrays["fused_distances"].shape == (784,)
    assert float(arrays["score"]) == result.score


AREAS = {
    "polygons": [
        {"points": [[0, 0], [400, 0], [400, 200], [0, 200]], "look": "shape"},
        {"points": [[0, 0], [200, 0], [200, 200], [0, 200]]},
        {"points": [[0, 200], [200, 200], [200, 400], [0, 400]], "look": "colour"},
    ]
}


@pytest.fixture(scope="module")
def partial(small_product: Path, tmp_path_factory: pytest.TempPathFactory) -> Detector:
    """Upper left: both. Upper right: shape. Lower left: colour. Lower right: nothing."""
    root = tmp_path_factory.mktemp("partial")
    roi = root / "roi.json"
    roi.write_text(json.dumps(AREAS))
    folder = open_product_folder(small_product)
    folder = replace(folder, train=folder.train[:3], roi=roi)
    store = BankStore(root / "banks")
    Builder(find_profile("embedded", changes=["coreset=0.02"]), store, keep_parts=False).build(SMALL, folder)
    return Detector.load(store.path(SMALL))


UPPER_LEFT, UPPER_RIGHT = np.s_[120:160, 120:160], np.s_[120:160, 240:280]
LOWER_LEFT, LOWER_RIGHT = np.s_[240:280, 120:160], np.s_[240:280, 240:280]


@pytest.mark.parametrize(
    ("place", "kind", "seen"),
    [
        (UPPER_LEFT, "paint", True),
        (UPPER_LEFT, "bump", True),
        (UPPER_RIGHT, "paint", False),
        (UPPER_RIGHT, "bump", True),
        (LOWER_LEFT, "paint", True),
        (LOWER_LEFT, "bump", False),
        (LOWER_RIGHT, "paint", False),
        (LOWER_RIGHT, "bump", False),
    ],
)
def test_nothing_is_scored_or_shown_outside_the_region_of_interest(
    partial: Detector, samples: list[Sample], place: tuple[slice, slice], kind: str, seen: bool
) -> None:
    before, rgb, xyz = _one(partial, samples[0]), samples[0].rgb.copy(), samples[0].xyz.copy()
    if kind == "paint":
        rgb[place] = (255, 0, 255)
    else:
        xyz[place] -= np.array([0, 0, 0.003], np.float32)
    after = _one(partial, make_sample(rgb, xyz))
    assert (after.score > 2 * before.score) == seen
    assert seen or after.score == before.score
    assert seen or after.regions == before.regions
    assert np.array_equal(after.map, before.map) != seen
    look, shown = after.prepared.look, after.prepared.frame.to_source(after.map)
    assert look is not None
    assert not after.map[look == 0].any()
    assert not after.bank_maps["rgb"][look == 2].any()
    point = partial.pipeline.extract(after.prepared)[0]["point"]  # half of the fused patches
    assert not point.rows[torch.from_numpy(~point.layout.touches(look & SHAPE > 0))].any()
    assert not shown[205:, 205:].any()
    for region in after.regions:
        assert region.peak_pixel[0] <= 201 or region.peak_pixel[1] <= 201


def test_a_version_keeps_its_region_of_interest(partial: Detector, samples: list[Sample]) -> None:
    assert "roi.png" in partial.manifest.files
    (refused,) = partial.score([make_sample(samples[0].rgb[:-1], samples[0].xyz[:-1])])
    assert isinstance(refused, BadSample)
    assert refused.code == "roi_size"


def test_a_result_says_why(detector: Detector, samples: list[Sample]) -> None:
    result = _one(detector, samples[0])
    assert sum(result.contributions.values()) == pytest.approx(result.score)
    for bank, found in result.evidence.items():
        assert found.training_part in detector.manifest.training_parts
        assert found.distance in result.scores.findings[bank].values
    scores = detector.manifest.calibration.scores
    assert result.relative_score == pytest.approx(
        (result.score - np.median(scores)) / (result.threshold - np.median(scores))
    )
    limit = detector.calibration.pixel_threshold
    other = result.judged(result.score, limit)
    assert other.relative_score == result.relative_score
    assert (result.threshold_source, other.threshold_source) == ("calibration", "request")
    assert (other.threshold, other.decision, other.score) == (result.score, "good", result.score)
    assert result.judged(np.nextafter(result.score, -np.inf), limit).decision == "defective"


def test_a_defective_part_has_a_region_and_evidence_at_the_place_that_decided(
    detector: Detector, samples: list[Sample]
) -> None:
    results = [_one(detector, sample) for sample in samples]
    assert {result.decision for result in results} == {"good", "defective"}
    lowest, limit = min(result.score for result in results) - 1, detector.calibration.pixel_threshold
    for result in (one if one.decision == "defective" else one.judged(lowest, limit) for one in results):
        assert result.place is not None
        x, y = result.place
        assert any(
            left <= x <= right and top <= y <= bottom
            for left, top, right, bottom in (region.box for region in result.regions)
        )
        patch = result.prepared.frame.side / 28
        for found in result.evidence.values():
            assert np.hypot(found.pixel[0] - x, found.pixel[1] - y) <= patch


def test_a_result_does_not_depend_on_its_batch(detector: Detector, samples: list[Sample]) -> None:
    alone = [_one(detector, sample) for sample in samples]
    for order in ([0, 1, 2], [2, 0, 1], [1, 1, 2]):
        for index, result in zip(order, detector.score([samples[i] for i in order]), strict=True):
            assert isinstance(result, PartResult)
            for name, array in alone[index].arrays().items():
                np.testing.assert_array_equal(result.arrays()[name], array, err_msg=name)


def test_a_result_does_not_depend_on_what_other_threads_score(
    detector: Detector, samples: list[Sample]
) -> None:
    alone = [_one(detector, sample).arrays() for sample in samples]

    def again(turn: int) -> dict[str, np.ndarray]:
        use_threads_here(1 + turn % 2)
        return _one(detector, samples[turn % len(samples)]).arrays()

    with ThreadPoolExecutor(3) as pool:
        for turn, arrays in enumerate(pool.map(again, range(12))):
            for name, array in alone[turn % len(samples)].items():
                np.testing.assert_allclose(arrays[name], array, rtol=1e-5, err_msg=name)


def test_a_bad_part_does_not_stop_the_others(detector: Detector, samples: list[Sample]) -> None:
    good = samples[0]
    empty = Sample(good.rgb, np.zeros_like(good.xyz), np.zeros_like(good.valid))
    first, bad, last = detector.score([good, empty, good])
    assert isinstance(bad, BadSample)
    assert isinstance(first, PartResult)
    assert isinstance(last, PartResult)
    assert first.score == last.score


def test_a_part_recorded_without_what_a_bank_needs_is_refused(
    detector: Detector, samples: list[Sample]
) -> None:
    whole = samples[0]
    flat, grey = make_sample(whole.rgb, None), make_sample(None, whole.xyz)
    no_cloud, no_image = detector.score([flat, grey])
    assert isinstance(no_cloud, BadSample)
    assert isinstance(no_image, BadSample)
    assert (no_cloud.code, no_image.code) == ("no_cloud", "no_image")


def test_a_part_of_another_scale_is_refused(detector: Detector, samples: list[Sample]) -> None:
    (refused,) = detector.score([replace(samples[0], xyz=10 * samples[0].xyz)])
    assert isinstance(refused, BadSample)
    assert refused.code == "other_scale"


class Watched:
    """An extractor that notes whether each part has any point, and may refuse all parts."""

    def __init__(self, extract: PartExtractor, *, refuses: bool) -> None:
        self.weights, self.needs = extract.weights, extract.needs
        self.seen: list[bool] = []
        self._extract = extract
        self._refuses = refuses

    def __call__(self, part: PreparedPart) -> tuple[PartFeatures, dict[str, float]]:
        if self._refuses:
            raise BadSample("no_points", "Nothing to extract.")
        self.seen.append(bool(part.valid.any()))
        return self._extract(part)


def watched(version: Path, *, refuses: bool = False, **preparation: Any) -> tuple[Detector, Watched]:
    """The detector of a version with a watched extractor and other settings of the preparation."""
    extractors: list[Watched] = []

    def make(profile: Profile, weights_dir: Path, device: str) -> Pipeline:
        pipeline = make_pipeline(profile, weights_dir, device)
        extractors.append(Watched(pipeline.extractor, refuses=refuses))
        return Pipeline(replace(pipeline.preparation, **preparation), extractors[-1])

    detector = Detector.load(version, check_probe=False, make_pipeline=make)
    return detector, extractors[-1]


def test_the_warm_up_runs_every_stage_whatever_the_settings_refuse(small_banks: Path) -> None:
    detector, extractor = watched(BankStore(small_banks).path(SMALL), min_points=20_000)
    (refused,) = detector.score([made_up_part()])
    assert isinstance(refused, BadSample), "the settings do refuse it"
    detector.warm_up()
    assert extractor.seen == [True, True], "the made-up part and the probe"


def test_a_warm_up_that_fails_says_so(small_banks: Path) -> None:
    detector, _ = watched(BankStore(small_banks).path(SMALL), refuses=True)
    with pytest.raises(BadSample):
        detector.warm_up()


def test_a_damaged_version_is_not_loaded(small_banks: Path, tmp_path: Path) -> None:
    import shutil

    folder = tmp_path / SMALL / "v1"
    shutil.copytree(BankStore(small_banks).path(SMALL), folder)
    index = folder / "rgb.faiss"
    data = bytearray(index.read_bytes())
    data[len(data) // 2] ^= 1
    index.write_bytes(bytes(data))
    with pytest.raises(BadBank, match=r"rgb\.faiss"):
        Detector.load(folder)
