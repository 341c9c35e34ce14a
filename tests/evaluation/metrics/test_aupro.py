from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy import ndimage

from evaluation.metrics.aupro import LIMITS, aupro, aupro_exact, pro_curve
from evaluation.metrics.detection import pixel_auroc, pixel_metrics
from evaluation.metrics.pixel_ranking import rank_pixels

GOLDEN = Path(__file__).parents[2] / "data" / "golden" / "golden_7.npz"

Pairs = list[tuple[NDArray[np.floating], NDArray[np.bool_]]]


def golden_pairs(seed: int) -> Pairs:
    """The maps and masks of the golden data's recipe (tests/data/golden/README.md)."""
    draw = np.random.Generator(np.random.PCG64(seed))
    row, column = np.mgrid[:224, :224]
    pairs = []
    for discs in range(6):
        mask = np.zeros((224, 224))
        for _ in range(discs):
            cy, cx = draw.integers(20, 200), draw.integers(20, 200)
            mask[(row - cy) ** 2 + (column - cx) ** 2 < draw.integers(3, 18) ** 2] = 1
        noise = ndimage.gaussian_filter(draw.standard_normal((224, 224)), 3)
        pairs.append((3 * noise + 0.8 * ndimage.gaussian_filter(mask, 4), mask > 0))
    return pairs


def plain_curve(pairs: Pairs, thresholds: NDArray) -> tuple[NDArray, NDArray]:
    """FPR and PRO by their words, one threshold and one region at a time."""
    good = np.concatenate([score[~mask] for score, mask in pairs])
    regions = []
    for score, mask in pairs:
        label, found = ndimage.label(mask, np.ones((3, 3)))  # pyright: ignore
        regions += [score[label == number] for number in range(1, found + 1)]
    rate = [np.mean(good > threshold) for threshold in thresholds]
    return np.array(rate), np.array([np.mean([np.mean(r > t) for r in regions]) for t in thresholds])


def plain_exact(pairs: Pairs, limit: float) -> float:
    scores = np.unique(np.concatenate([score.ravel() for score, _ in pairs]))
    rate, overlap = plain_curve(pairs, np.concatenate([[-np.inf], scores])[::-1])
    # integrated piece by piece: np.interp would take one end of a vertical step at the limit
    area = 0.0
    for x0, x1, y0, y1 in zip(rate, rate[1:], overlap, overlap[1:], strict=False):
        stop = min(x1, limit)
        if x0 < stop:
            area += (stop - x0) * (y0 + 0.5 * (y1 - y0) * (stop - x0) / (x1 - x0))
    return area / limit


def test_golden_values_to_1e_9():
    with np.load(GOLDEN) as golden:
        ranking = rank_pixels(golden_pairs(7))
        assert pixel_auroc(ranking) == pytest.approx(float(golden["pauroc"]), abs=1e-9)
        for limit in LIMITS:
            assert aupro(ranking, limit) == pytest.approx(float(golden[f"aupro_{limit}"]), abs=1e-9)


maps = arrays(np.float32, (5, 6), elements=st.integers(-3, 3).map(float))
masks = arrays(np.bool_, (5, 6)).filter(lambda mask: mask.any() and not mask.all())


@settings(deadline=None)
@given(st.lists(st.tuples(maps, masks), min_size=1, max_size=3), st.sampled_from([0.01, 0.3, 0.75, 1.0]))
def test_exact_is_the_plain_definition(pairs, limit):
    assert aupro_exact(rank_pixels(pairs), limit) == pytest.approx(plain_exact(pairs, limit), abs=1e-12)


@settings(deadline=None)
@given(arrays(np.float32, (5, 6), elements=st.floats(0, 1, width=16), unique=True), masks)
def test_mvtec_is_the_plain_definition(score, mask):
    good = np.sort(score[~mask])
    position = np.linspace(0, good.size - 1, num=100, dtype=int)
    rate, overlap = plain_curve([(score, mask)], good[position])
    rate, overlap = np.append(rate[::-1], 1.0), np.append(overlap[::-1], 1.0)
    grid = np.append(rate[rate < 0.3], 0.3)
    expected = np.trapezoid(np.interp(grid, rate, overlap), grid) / 0.3
    assert aupro(rank_pixels([(score, mask)]), 0.3) == pytest.approx(expected, abs=1e-12)


def test_many_thresholds_approach_the_exact_value():
    ranking = rank_pixels(golden_pairs(3))
    for limit in LIMITS:
        assert aupro(ranking, limit, thresholds=100_000) == pytest.approx(
            aupro_exact(ranking, limit), abs=1e-4
        )


def test_constant_maps_are_a_coin_toss():
    pairs = [(np.zeros((9, 9)), np.eye(9, dtype=bool))]
    assert aupro_exact(rank_pixels(pairs), 0.3) == pytest.approx(0.15)


def test_perfect_maps_reach_one():
    mask = np.eye(64, dtype=bool)
    ranking = rank_pixels([(mask.astype(np.float32), mask)])
    assert [aupro(ranking, limit) for limit in LIMITS] == pytest.approx([1.0] * 4)
    assert [aupro_exact(ranking, limit) for limit in LIMITS] == pytest.approx([1.0] * 4)


def test_curve_ends_at_the_limit_and_its_area_is_the_metric():
    ranking = rank_pixels(golden_pairs(5))
    rate, overlap = pro_curve(ranking, 0.3, points=4000)
    assert rate[0] == 0.0
    assert rate[-1] == pytest.approx(0.3, abs=1e-5)
    assert np.all(np.diff(overlap) >= 0)
    assert np.trapezoid(overlap, rate) / 0.3 == pytest.approx(aupro_exact(ranking, 0.3), abs=1e-4)


@pytest.mark.parametrize("limit", [0.0, -0.1, 1.5, float("nan")])
def test_limits_outside_the_curve_are_refused(limit):
    with pytest.raises(ValueError, match="false-positive rate above 0"):
        aupro(rank_pixels(golden_pairs(1)), limit)


@pytest.mark.slow
def test_many_maps_take_little_more_than_sorting_their_pixels():
    draw = np.random.default_rng(0)
    noise = draw.random((200, 224, 224), np.float32)
    mask = np.zeros((224, 224), bool)
    mask[50:90, 60:100] = mask[150:160, 150:200] = True
    start = time.process_time()
    np.sort(noise, axis=None)
    sorting = time.process_time() - start
    metrics = pixel_metrics(
        (score, mask if index % 4 else ~mask & False) for index, score in enumerate(noise)
    )
    assert metrics.regions == 300
    assert time.process_time() - start < 10 * sorting
