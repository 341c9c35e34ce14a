"""Rules: monotone, finite with few parts, equal after JSON; the published one written plainly."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.linear_model import SGDOneClassSVM

from banks.decision import rules as decision

BANKS: tuple[str, ...] = ("rgb", "point", "fused")
SIZE = 16


def good_parts(count: int, seed: int = 0) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Scores and maps whose banks differ in unit and spread."""
    draw = np.random.default_rng(seed)
    scores = draw.lognormal([3, 1, 0], [0.1, 0.2, 0.05], (count, 3))
    maps = draw.gamma(4, [5.0, 1.0, 0.2], (count, SIZE, SIZE, 3)).astype(np.float32)
    return scores, maps


def fitted(name: str, count: int = 12) -> decision.Decision:
    scores, maps = good_parts(count)
    if name == "single":
        return decision.fit(name, BANKS[:1], scores[:, :1], scores[:, :1], maps[..., :1])
    return decision.fit(name, BANKS, scores, scores, maps)


def places(scores: Mapping[str, float]) -> dict[str, NDArray[np.float32]]:
    """Banks that find their score at one place and nothing anywhere else."""
    return {bank: np.pad(np.full((1, 1), score, np.float32), 1) for bank, score in scores.items()}


def score(rule: decision.Decision, scores: Mapping[str, float]) -> float:
    return rule.score(scores, places(scores))


@pytest.mark.parametrize("name", sorted(decision.RULES))
@settings(max_examples=25, deadline=None)
@given(st.tuples(*[st.floats(0, 1e6)] * 3), st.sampled_from(BANKS), st.floats(0, 1e6))
def test_a_higher_bank_score_never_lowers_the_score(
    name: str, values: tuple[float, float, float], bank: str, more: float
) -> None:
    rule = _RULES[name]
    scores = dict(zip(BANKS, values, strict=True))
    higher = scores | {bank: scores[bank] + more}
    assert score(rule, higher) >= score(rule, scores)
    maps = {key: np.full((2, 2), value, np.float32) for key, value in scores.items()}
    raised = {key: np.full((2, 2), value, np.float32) for key, value in higher.items()}
    assert (rule.map(raised) >= rule.map(maps)).all()
    assert np.isfinite(score(rule, higher))


_RULES = {name: fitted(name) for name in decision.RULES}


@pytest.mark.parametrize("name", sorted(decision.RULES))
def test_json_round_trip_and_contributions(name: str) -> None:
    rule = _RULES[name]
    assert decision.from_json(json.loads(json.dumps(rule.to_json()))) == rule
    scores = {"rgb": 25.0, "point": 4.0, "fused": 1.1}
    assert sum(rule.contributions(scores, places(scores)).values()) == pytest.approx(score(rule, scores))
    assert tuple(rule.contributions(scores, places(scores))) == rule.banks
    drawn = np.random.default_rng(1).gamma(4, 1, (3, SIZE, SIZE)).astype(np.float32)
    combined = rule.map(dict(zip(BANKS, drawn, strict=True)))
    assert combined.shape == (SIZE, SIZE)
    assert combined.dtype == np.float32


@pytest.mark.parametrize("name", ["add", "dlf_published", "dlf", "tail"])
@pytest.mark.parametrize("count", [1, 2, 3, 10])
@pytest.mark.parametrize("kind", ["drawn", "constant", "zero"])
def test_few_or_constant_parts_give_finite_rules(name: str, count: int, kind: str) -> None:
    scores, maps = good_parts(count)
    if kind != "drawn":
        scores, maps = np.full_like(scores, kind == "constant"), np.full_like(maps, kind == "constant")
    rule = decision.fit(name, BANKS, scores, scores, maps)
    assert np.isfinite(score(rule, {"rgb": 1, "point": 0, "fused": 3}))
    assert score(rule, dict.fromkeys(BANKS, 1e3)) > score(rule, dict.fromkeys(BANKS, 10.0))
    assert np.isfinite(rule.map(dict.fromkeys(BANKS, np.zeros((2, 2), np.float32)))).all()


def test_published_rule_written_plainly() -> None:
    scores, maps = good_parts(40)
    lambdas = np.array([0.1, 1.0, 1.0])
    image = SGDOneClassSVM(nu=0.5, max_iter=1000, random_state=42).fit(scores * lambdas)
    pixel = SGDOneClassSVM(nu=0.5, max_iter=1000, random_state=42).fit(
        maps.reshape(-1, 3) * lambdas.astype(np.float32)
    )
    rule = decision.fit("dlf_published", BANKS, scores, scores, maps)
    assert score(rule, dict(zip(BANKS, scores[3], strict=True))) == pytest.approx(
        image.score_samples(scores[3:4] * lambdas)[0]
    )
    expected = pixel.score_samples(maps[5].reshape(-1, 3) * lambdas).reshape(SIZE, SIZE)
    by_bank = dict(zip(BANKS, np.moveaxis(maps[5], -1, 0), strict=True))
    np.testing.assert_allclose(rule.map(by_bank), expected, rtol=1e-4)


@pytest.mark.parametrize("name", ["dlf", "tail"])
def test_a_banks_unit_does_not_matter(name: str) -> None:
    scores, maps = good_parts(30)
    unit = np.array([1000, 1, 0.01])
    plain = decision.fit(name, BANKS, scores, scores, maps)
    other = decision.fit(name, BANKS, scores * unit, scores * unit, maps * unit.astype(np.float32))
    part = dict(zip(BANKS, 1.3 * scores[0], strict=True))
    scaled = dict(zip(BANKS, 1.3 * scores[0] * unit, strict=True))
    assert score(other, scaled) == pytest.approx(score(plain, part), rel=1e-3)


def test_tail_keeps_growing_far_out() -> None:
    values = [score(_RULES["tail"], {"rgb": 25, "point": 10.0**k, "fused": 1}) for k in range(1, 12)]
    assert (np.diff(values) > 0).all()


def test_tail_adds_what_banks_see_at_one_place() -> None:
    """A find of two banks at one place says more than two finds at two places."""
    rule = _RULES["tail"]
    scores = {"rgb": 30.0, "point": 6.0, "fused": 1.1}
    together = places(scores)
    apart = together | {"rgb": np.roll(together["rgb"], 1)}
    assert rule.score(scores, apart) < rule.score(scores, together)
    alone = together | {"rgb": np.zeros_like(together["rgb"]), "fused": np.zeros_like(together["fused"])}
    assert rule.score(scores, apart) >= rule.score(scores, alone)


def test_fit_and_from_json_refuse_nonsense() -> None:
    scores, maps = good_parts(4)
    with pytest.raises(KeyError):
        decision.fit("vote", BANKS, scores, scores, maps)
    with pytest.raises(KeyError):
        decision.from_json({"name": "vote"})
    with pytest.raises(ValueError, match="one bank"):
        decision.fit("single", BANKS, scores, scores, maps)
    with pytest.raises(ValueError, match="at least one part"):
        decision.fit("add", BANKS, scores[:0], scores[:0], maps)
    with pytest.raises(ValueError, match="finite"):
        decision.fit("add", BANKS, scores * np.nan, scores, maps)
    with pytest.raises(ValueError, match="3 maps for 4 parts"):
        decision.fit("dlf", BANKS, scores, scores, maps[:3])
    with pytest.raises(ValueError, match="negative"):
        decision.WeightedSum("add", ("rgb",), (-1.0,), (1.0,))
