"""Banks and decision layer against what the authors' code computes (tests/data/golden/README.md).

Features to final map on our own modules, in the published mode. Parts 0, 2, 4 fill the banks without a
coreset, 1, 3, 5 fit the decision layer, 6 and 7 are tested.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from banks.decision.good_scores import GoodScores
from banks.decision.part_scores import PartScores
from banks.decision.rules import fit
from banks.decision.score_map import score_map
from banks.decision.weighted_sum import PUBLISHED_LAMBDAS, WeightedSum
from banks.methods.memory_bank.bank import MemoryBank
from banks.methods.memory_bank.coreset import greedy, project
from banks.methods.memory_bank.normaliser import Normaliser
from banks.methods.method import Finding
from banks.versions.good_parts import GoodParts
from banks.versions.store import BankStore
from models.extraction import Extractor
from models.features import PartFeatures, Patches
from models.fusion.uff import Uff
from models.layout import GridLayout
from models.preparation.prepare import Frame, PreparedPart
from models.weights.store import WeightStore
from recipes.profiles import find_profile
from tests.conftest import MadeOnce, Tribank
from tests.golden_values import PRODUCT, PROFILE, golden_folder, golden_trace, golden_yardstick

pytestmark = pytest.mark.slow

OFFICIAL = {"point": "xyz", "rgb": "rgb", "fused": "fusion"}
"""Our bank names in the order of the published score columns, and the names in the golden file."""
NAMES = tuple(OFFICIAL)
LAMBDAS = np.array([PUBLISHED_LAMBDAS[name] for name in NAMES])
FILLING, FITTING, TESTED = (0, 2, 4), (1, 3, 5), (6, 7)

Golden = Mapping[str, NDArray[Any]]


@pytest.fixture(scope="module")
def features(
    recipe: ModuleType,
    golden: Golden,
    made_once: MadeOnce,
    tribank: Tribank,
    tmp_path_factory: pytest.TempPathFactory,
) -> list[PartFeatures]:
    """Patch grids of parts 0 to 7, by the published settings, with the recipe's weights. Parts 0 to 5 are
    what `tribank build` kept of them, 7 is what `tribank trace` writes; 6 is extracted here."""
    yardstick = golden_yardstick(recipe, golden)
    folder = golden_folder(yardstick, made_once, tribank)
    profile, weights = find_profile(PROFILE), WeightStore(folder / "weights")
    fusion = Uff.ready(weights, "cpu")
    kept = BankStore(folder / "banks").path(PRODUCT) / "parts"
    found: dict[int, PartFeatures] = {}
    for split, numbers in (("train", FILLING), ("validation", FITTING)):
        good = GoodParts.copied(kept / split, tmp_path_factory.mktemp(split))
        assert good.names == [f"{split}/good/{number:03}" for number in numbers]
        found |= {number: good.store.features(place) for place, number in enumerate(numbers)}
    first, last = TESTED
    image, xyz = recipe.sample(first)
    part = PreparedPart(image, xyz, (xyz != 0).all(-1), Frame(224, 224, 0, 0, 224), plane_found=False)
    found[first], _ = Extractor(profile.extraction, weights, rgb_size=224, device="cpu")(part)
    with np.load(golden_trace(yardstick, made_once, tribank), allow_pickle=False) as traced:
        sides = {"rgb": 28, "point": 56}
        found[last] = {
            name: Patches(torch.from_numpy(traced[f"{name}_patch"]), GridLayout(side))
            for name, side in sides.items()
        }
    assert fusion is not None
    parts = [found[number] for number in range(8)]
    return [{**part, "fused": fusion(part["rgb"], part["point"])} for part in parts]


@pytest.fixture(scope="module")
def libraries(features: list[PartFeatures]) -> dict[str, NDArray[np.float32]]:
    """Un-normalised patches of the parts that fill the banks."""
    return {name: np.concatenate([features[part][name].rows.numpy() for part in FILLING]) for name in NAMES}


@pytest.fixture(scope="module")
def own(libraries: dict[str, NDArray[np.float32]]) -> dict[str, Normaliser]:
    return {name: Normaliser.fit([rows]) for name, rows in libraries.items()}


@pytest.fixture(scope="module")
def shared(own: dict[str, Normaliser]) -> Normaliser:
    """The scalars that the published code uses for all three banks (facts T3)."""
    return Normaliser.shared(own["point"], own["rgb"])


@pytest.fixture(scope="module")
def banks(libraries: dict[str, NDArray[np.float32]], shared: Normaliser) -> dict[str, MemoryBank]:
    rows = {name: shared(library) for name, library in libraries.items()}
    rows["point"] = np.concatenate([rows["point"], np.zeros((1, 1152), np.float32)])
    return {name: MemoryBank.of(library) for name, library in rows.items()}


@pytest.fixture(scope="module")
def scored(
    features: list[PartFeatures], banks: dict[str, MemoryBank], shared: Normaliser
) -> Callable[[int], PartScores]:
    def score(part: int) -> PartScores:
        findings, maps = {}, {}
        for name, patches in features[part].items():
            found = banks[name].score(shared(patches.rows.numpy()))
            findings[name] = Finding(found.distances, patches.layout, found.image_score, found.ids)
            maps[name] = score_map(found.distances, patches.layout, blur="pil8")
        return PartScores(findings, 224, maps, places={})

    parts = {part: score(part) for part in (*FITTING, *TESTED)}
    return parts.__getitem__


@pytest.fixture(scope="module")
def decision(scored: Callable[[int], PartScores]) -> WeightedSum:
    fitted = fit("dlf_published", GoodScores(NAMES, [scored(part) for part in FITTING]))
    assert isinstance(fitted, WeightedSum)
    return fitted


def test_fused_and_rgb_patches(golden: Golden, features: list[PartFeatures]) -> None:
    fused = features[7]["fused"].rows.numpy()[golden["rows"]]
    np.testing.assert_allclose(fused, golden["fused_patch"], atol=1e-4, rtol=0)
    np.testing.assert_allclose(features[7]["rgb"].rows.numpy()[::12], golden["rgb_patch"], atol=1e-4, rtol=0)


def test_normalisers_and_bank_sizes(
    golden: Golden, own: dict[str, Normaliser], shared: Normaliser, banks: dict[str, MemoryBank]
) -> None:
    for name, official in OFFICIAL.items():
        assert own[name].mean[0] == pytest.approx(golden[f"own_mean_{official}"].item(), abs=1e-6)
        assert own[name].std[0] == pytest.approx(golden[f"own_std_{official}"].item(), abs=1e-6)
        assert shared.mean[0] == pytest.approx(golden[f"official_{official}_mean"].item(), abs=1e-6)
        assert shared.std[0] == pytest.approx(golden[f"official_{official}_std"].item(), abs=1e-6)
    assert [len(banks[name]) for name in NAMES] == golden["bank_sizes"].tolist()


@pytest.mark.parametrize("test", [0, 1])
@pytest.mark.parametrize("name", NAMES)
def test_distances_scores_and_maps(
    golden: Golden,
    features: list[PartFeatures],
    banks: dict[str, MemoryBank],
    shared: Normaliser,
    scored: Callable[[int], PartScores],
    name: str,
    test: int,
) -> None:
    """The published distances come from |q|^2 + |b|^2 - 2qb in float32, ours from differences. Where a
    distance is small beside the norms, theirs is mostly rounding: they may differ by that much. Both choose
    the nearest row by rounded distances. A few rows may choose differently: then each distance is as near to
    the exact one."""
    ours, golden_name = scored(TESTED[test]), f"t{test}_{OFFICIAL[name]}"
    finding = ours.findings[name]
    distances, theirs = finding.values.astype(np.float64), golden[f"{golden_name}_nn_dist"]
    query = shared(features[TESTED[test]][name].rows.numpy()).astype(np.float64)
    nearest = banks[name].rows[finding.nearest].astype(np.float64)
    rounding = 4 * np.finfo(np.float32).eps * (np.square(query).sum(1) + np.square(nearest).sum(1))
    apart = np.abs(np.square(distances) - np.square(theirs.astype(np.float64)))
    beyond = np.flatnonzero(apart > np.maximum(rounding, 2e-3 * np.square(theirs)))
    assert len(beyond) <= 3
    for row in beyond:
        exact = np.square(banks[name].rows - query[row]).sum(1).min()
        for found in (distances[row], np.float64(theirs[row])):
            assert abs(np.square(found) - exact) <= rounding[row]

    assert finding.image_score == pytest.approx(golden[f"{golden_name}_score"].item(), rel=2e-3)
    step = distances.max() / 255
    np.testing.assert_allclose(
        ours.maps[name][::8, ::8], golden[f"{golden_name}_map_8"], atol=step, rtol=1e-4
    )


def test_late_fusion_scores(golden: Golden, scored: Callable[[int], PartScores]) -> None:
    scores = GoodScores(NAMES, [scored(part) for part in FITTING]).scores
    np.testing.assert_allclose(scores * LAMBDAS, golden["late_fusion_scores"], rtol=2e-3)


def test_decision_layer(golden: Golden, decision: WeightedSum) -> None:
    np.testing.assert_allclose(np.array(decision.image_weights) / LAMBDAS, golden["det_coef"], rtol=0.02)
    np.testing.assert_allclose(np.array(decision.pixel_weights) / LAMBDAS, golden["seg_coef"], rtol=0.02)


@pytest.mark.parametrize("test", [0, 1])
def test_final_score_and_map(
    golden: Golden, scored: Callable[[int], PartScores], decision: WeightedSum, test: int
) -> None:
    verdict = decision.judge(scored(TESTED[test]))
    assert verdict.score == pytest.approx(golden[f"t{test}_detect"].item(), rel=0.02)
    theirs = golden[f"t{test}_segment_8"]
    np.testing.assert_allclose(verdict.map[::8, ::8], theirs, atol=0.02 * theirs.max(), rtol=0)


def test_coreset(golden: Golden, features: list[PartFeatures]) -> None:
    rows = np.concatenate([features[part]["point"].rows.numpy()[::8] for part in FILLING])
    assert len(rows) == golden["coreset_slice_n"]
    picks = greedy(project(Normaliser.fit([rows])(rows), eps=0.9, seed=0), 100)
    np.testing.assert_array_equal(picks, golden["coreset_index"])
