"""Rules: monotone, finite with few parts, equal after JSON; the published one written plainly."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.stats import lognorm
from sklearn.linear_model import SGDOneClassSVM

from banks.decision import rules
from banks.decision.good_scores import GoodScores
from banks.decision.part_scores import PartScores
from banks.decision.tail import Tail
from banks.decision.verdict import Decision
from banks.decision.weighted_sum import WeightedSum
from banks.methods.method import Finding
from models.layout import GridLayout

BANKS: tuple[str, ...] = ("rgb", "point", "fused")
SIZE = 16


def part_scores(scores: Mapping[str, float], maps: Mapping[str, NDArray[np.float32]]) -> PartScores:
    """Banks that find their score at the middle of 3 x 3 places and nothing anywhere else."""
    findings, places = {}, {}
    for bank, score in scores.items():
        places[bank] = np.pad(np.full((1, 1), score, np.float32), 1)
        findings[bank] = Finding(places[bank].ravel(), GridLayout(3), score)
    return PartScores(findings, SIZE, maps, places)


def flat(scores: Mapping[str, float]) -> PartScores:
    """Maps of 2 x 2 pixels that hold the score everywhere."""
    return part_scores(scores, {bank: np.full((2, 2), score, np.float32) for bank, score in scores.items()})


def good_parts(count: int, seed: int = 0) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Scores and maps whose banks differ in unit and spread."""
    draw = np.random.default_rng(seed)
    scores = draw.lognormal([3, 1, 0], [0.1, 0.2, 0.05], (count, 3))
    maps = draw.gamma(4, [5.0, 1.0, 0.2], (count, SIZE, SIZE, 3)).astype(np.float32)
    return scores, maps


def good_scores(
    scores: NDArray[np.float64], maps: NDArray[np.float32], banks: tuple[str, ...] = BANKS
) -> GoodScores:
    parts = [
        part_scores(
            dict(zip(banks, row.tolist(), strict=False)),
            dict(zip(banks, np.moveaxis(part_map, -1, 0), strict=False)),
        )
        for row, part_map in zip(scores, maps, strict=True)
    ]
    return GoodScores(banks, parts)


def fitted(name: str, count: int = 12) -> Decision:
    banks = BANKS[:1] if name == "single" else BANKS
    return rules.fit(name, good_scores(*good_parts(count), banks))


def score(rule: Decision, scores: Mapping[str, float]) -> float:
    return rule.judge(flat(scores)).score


@pytest.mark.parametrize("name", sorted(rules.RULES))
@settings(max_examples=25, deadline=None)
@given(st.tuples(*[st.floats(0, 1e6)] * 3), st.sampled_from(BANKS), st.floats(0, 1e6))
def test_a_higher_bank_score_never_lowers_the_score(
    name: str, values: tuple[float, float, float], bank: str, more: float
) -> None:
    rule = _RULES[name]
    scores = dict(zip(BANKS, values, strict=True))
    verdict, higher = (rule.judge(flat(these)) for these in (scores, scores | {bank: scores[bank] + more}))
    assert higher.score >= verdict.score
    assert (higher.map >= verdict.map).all()
    assert np.isfinite(higher.score)


_RULES = {name: fitted(name) for name in rules.RULES}


def _tail() -> Tail:
    rule = _RULES["tail"]
    assert isinstance(rule, Tail)
    return rule


@pytest.mark.parametrize("name", sorted(rules.RULES))
def test_json_round_trip_and_contributions(name: str) -> None:
    rule = _RULES[name]
    assert rule.to_json()["name"] == name
    assert rules.from_json(json.loads(json.dumps(rule.to_json()))) == rule
    drawn = np.random.default_rng(1).gamma(4, 1, (3, SIZE, SIZE)).astype(np.float32)
    scores = {"rgb": 25.0, "point": 4.0, "fused": 1.1}
    verdict = rule.judge(part_scores(scores, dict(zip(BANKS, drawn, strict=True))))
    assert sum(verdict.contributions.values()) == pytest.approx(verdict.score)
    assert tuple(verdict.contributions) == rule.banks
    assert verdict.map.shape == (SIZE, SIZE)
    assert verdict.map.dtype == np.float32
    assert verdict.place == ((0.5, 0.5) if name == "tail" else None)


@pytest.mark.parametrize("name", ["add", "dlf_published", "dlf", "tail"])
@pytest.mark.parametrize("count", [1, 2, 3, 10])
@pytest.mark.parametrize("kind", ["drawn", "constant", "zero"])
def test_few_or_constant_parts_give_finite_rules(name: str, count: int, kind: str) -> None:
    scores, maps = good_parts(count)
    if kind != "drawn":
        scores, maps = np.full_like(scores, kind == "constant"), np.full_like(maps, kind == "constant")
    rule = rules.fit(name, good_scores(scores, maps))
    assert np.isfinite(score(rule, {"rgb": 1, "point": 0, "fused": 3}))
    assert score(rule, dict.fromkeys(BANKS, 1e3)) > score(rule, dict.fromkeys(BANKS, 10.0))
    assert np.isfinite(rule.judge(flat(dict.fromkeys(BANKS, 0.0))).map).all()


def test_published_rule_written_plainly() -> None:
    scores, maps = good_parts(40)
    lambdas = np.array([0.1, 1.0, 1.0])
    image = SGDOneClassSVM(nu=0.5, max_iter=1000, random_state=42).fit(scores * lambdas)
    pixel = SGDOneClassSVM(nu=0.5, max_iter=1000, random_state=42).fit(
        maps.reshape(-1, 3) * lambdas.astype(np.float32)
    )
    rule = rules.fit("dlf_published", good_scores(scores, maps))
    assert score(rule, dict(zip(BANKS, scores[3], strict=True))) == pytest.approx(
        image.score_samples(scores[3:4] * lambdas)[0]
    )
    expected = pixel.score_samples(maps[5].reshape(-1, 3) * lambdas).reshape(SIZE, SIZE)
    by_bank = dict(zip(BANKS, np.moveaxis(maps[5], -1, 0), strict=True))
    verdict = rule.judge(part_scores(dict.fromkeys(BANKS, 1.0), by_bank))
    np.testing.assert_allclose(verdict.map, expected, rtol=1e-4)


@pytest.mark.parametrize("name", ["dlf", "tail"])
def test_a_banks_unit_does_not_matter(name: str) -> None:
    scores, maps = good_parts(30)
    unit = np.array([1000, 1, 0.01])
    plain = rules.fit(name, good_scores(scores, maps))
    other = rules.fit(name, good_scores(scores * unit, maps * unit.astype(np.float32)))
    part = dict(zip(BANKS, 1.3 * scores[0], strict=True))
    scaled = dict(zip(BANKS, 1.3 * scores[0] * unit, strict=True))
    assert score(other, scaled) == pytest.approx(score(plain, part), rel=1e-3)


def test_tail_keeps_growing_far_out() -> None:
    values = [score(_RULES["tail"], {"rgb": 25, "point": 10.0**k, "fused": 1}) for k in range(1, 12)]
    assert (np.diff(values) > 0).all()


def test_tail_adds_what_banks_see_at_one_place() -> None:
    """A find of two banks at one place says more than two finds at two places."""
    rule = _RULES["tail"]
    together = flat({"rgb": 30.0, "point": 6.0, "fused": 1.1})
    apart = replace(together, places={**together.places, "rgb": np.roll(together.places["rgb"], 1)})
    assert rule.judge(apart).score < rule.judge(together).score
    nothing = np.zeros((3, 3), np.float32)
    alone = replace(together, places={**together.places, "rgb": nothing, "fused": nothing})
    assert rule.judge(apart).score >= rule.judge(alone).score


def test_tail_names_the_place_of_the_highest_sum() -> None:
    """The middle of the second row's last place, though the RGB bank's own highest place lies elsewhere."""
    scores = flat({"rgb": 30.0, "point": 6.0, "fused": 1.1})
    places = {bank: np.roll(values, 1, axis=1) for bank, values in scores.places.items()}
    places["rgb"] = scores.places["rgb"]
    verdict = _RULES["tail"].judge(replace(scores, places=places))
    assert verdict.place == pytest.approx((2.5 / 3, 1.5 / 3))
    assert verdict.contributions["point"] > verdict.contributions["rgb"]


def test_tail_map_shows_the_sums_by_which_places_decide() -> None:
    """SciPy's log-normals, SciPy's Gaussian; and the highest pixel is in the place that decided."""
    rule = _tail()
    draw = np.random.default_rng(3)
    places = {bank: draw.lognormal(1, 1, (7, 7)).astype(np.float32) for bank in BANKS}
    for of_bank in places.values():
        of_bank[4, 2] = 100
    zero = dict.fromkeys(BANKS, 0.0)
    verdict = rule.judge(replace(part_scores(zero, {}), size=56, places=places))
    sums = np.zeros((7, 7))
    for bank, centre, spread in zip(BANKS, rule.peak_centre, rule.peak_spread, strict=True):
        sums -= lognorm.logsf(places[bank], spread, scale=np.exp(centre))
    grid = torch.tensor(sums)[None, None]
    image = torch.nn.functional.interpolate(grid, (56, 56), mode="bilinear", align_corners=False)[0, 0]
    np.testing.assert_allclose(verdict.map, gaussian_filter(image.numpy(), 2), rtol=1e-3, atol=1e-3)
    assert verdict.score == pytest.approx(sums.max(), rel=1e-4)
    row, column = np.unravel_index(verdict.map.argmax(), (56, 56))
    assert verdict.place is not None
    assert (int(verdict.place[1] * 7), int(verdict.place[0] * 7)) == (row // 8, column // 8)


def test_tail_of_an_earlier_build_keeps_its_map() -> None:
    """Log-normals of pixels, where a version has them, make the map of the banks' maps."""
    rule = replace(_tail(), pixel_centre=(3.0, 1.0, 0.0), pixel_spread=(0.4,) * 3, pixel_floor=(0.1,) * 3)
    kept = rules.from_json(json.loads(json.dumps(rule.to_json())))
    assert kept == rule
    values = {"rgb": 25.0, "point": 4.0, "fused": 1.1}
    expected = -sum(
        lognorm.logsf(value, 0.4, scale=np.exp(centre))
        for value, centre in zip(values.values(), (3.0, 1.0, 0.0), strict=True)
    )
    verdict = kept.judge(flat(values))
    np.testing.assert_allclose(verdict.map, expected, rtol=1e-5)
    assert verdict.score == score(_RULES["tail"], values)
    with pytest.raises(ValueError, match="finite numbers"):
        replace(_tail(), pixel_centre=(3.0, 1.0), pixel_spread=(1.0, 1.0), pixel_floor=(1.0, 1.0))


def test_fit_and_from_json_refuse_nonsense() -> None:
    scores, maps = good_parts(4)
    with pytest.raises(KeyError):
        rules.fit("vote", good_scores(scores, maps))
    with pytest.raises(KeyError):
        rules.from_json({"name": "vote"})
    with pytest.raises(ValueError, match="one bank"):
        rules.fit("single", good_scores(scores, maps))
    with pytest.raises(ValueError, match="at least one part"):
        good_scores(scores[:0], maps[:0])
    for name in ("dlf", "dlf_published", "tail"):
        with pytest.raises(ValueError, match="finite"):
            rules.fit(name, good_scores(scores * np.nan, maps))
    with pytest.raises(ValueError, match="negative"):
        rules.fit("dlf", good_scores(scores, -maps))
    with pytest.raises(ValueError, match="negative"):
        WeightedSum("add", ("rgb",), (-1.0,), (1.0,))
