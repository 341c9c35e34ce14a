"""The published computation says what the authors' code says, and a version of the same rows says it too."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from banks.detector import Detector, PartResult
from banks.versions.store import BankStore
from evaluation.bench.published import NotPublished, Published, PublishedScore
from evaluation.bench.versus import Versus
from models.readers import read_files
from tests.conftest import SMALL, MadeOnce, Tribank
from tests.golden_inputs import pair
from tests.golden_values import BANKS, PRODUCT, Yardstick, golden_folder, kept_yardstick


@pytest.fixture(scope="module")
def yardstick(recipe: ModuleType) -> Yardstick:
    return kept_yardstick(recipe)


@pytest.fixture(scope="module")
def weights(yardstick: Yardstick, made_once: MadeOnce, tribank: Tribank) -> Path:
    return golden_folder(yardstick, made_once, tribank) / "weights"


@pytest.fixture(scope="module")
def detector(weights: Path) -> Detector:
    path = BankStore(weights.parent / "banks").path(PRODUCT)
    # tests/test_golden_command_line.py scores by this version, and checks its probe.
    return Detector.load(path, weights_dir=weights, prepared=True, check_probe=False)


@pytest.fixture(scope="module")
def result(detector: Detector, weights: Path, yardstick: Yardstick) -> PartResult:
    rgb, xyz = pair(weights.parent / "data", "test", yardstick.test[-1])
    (result,) = detector.score([read_files({"rgb": rgb, "xyz": xyz})])
    assert isinstance(result, PartResult)
    return result


@pytest.fixture(scope="module")
def versus(detector: Detector, weights: Path) -> Versus:
    return Versus(detector, weights)


@pytest.fixture(scope="module")
def found(versus: Versus, result: PartResult) -> PublishedScore:
    """What the published computation says of the part."""
    return versus.score(result)


@pytest.mark.slow
def test_it_computes_what_the_authors_code_computes(
    found: PublishedScore, result: PartResult, yardstick: Yardstick
) -> None:
    values, part = yardstick.values, yardstick.last
    for ours, theirs in BANKS.items():
        assert found.scores[ours] == pytest.approx(values[f"{part}_{theirs}_score"].item(), rel=1e-3)
    assert found.score == pytest.approx(values[f"{part}_detect"].item(), rel=0.02)
    theirs = values[f"{part}_segment_8"]
    np.testing.assert_allclose(found.map[::8, ::8], theirs, atol=0.02 * theirs.max(), rtol=0)
    assert found.timings_ms.keys() == result.timings_ms.keys() - {"prepare"}


@pytest.mark.slow
def test_a_version_says_the_same(
    versus: Versus, found: PublishedScore, result: PartResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versus, "_published", lambda part: found)  # computing it again takes seconds
    versus.score(result)
    report = versus.report()
    assert 0 < report["largest_score_difference"] < 1e-3
    totals = [report[f"{side}_ms"]["total"]["p50"] for side in ("published", "tribank")]
    assert report["ratio"] == totals[0] / totals[1]
    stages = {stage: took["p50"] for stage, took in report["tribank_ms"].items()}
    assert stages.pop("total") == pytest.approx(sum(stages.values()))
    assert sum(stages.values()) == pytest.approx(
        sum(took for stage, took in result.timings_ms.items() if stage != "prepare")
    )


def test_a_version_of_another_method_has_no_published_form(small_banks: Path, tmp_path: Path) -> None:
    detector = Detector.load(BankStore(small_banks).path(SMALL))
    with pytest.raises(NotPublished):
        Published(detector, tmp_path)
