from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import roc_auc_score

from evaluation.metrics.pixel_ranking import rank_pixels

SHAPE = (6, 7)
maps = arrays(np.float32, SHAPE, elements=st.integers(-4, 4).map(lambda step: step / 4))
masks = arrays(np.bool_, SHAPE).filter(lambda mask: mask.any() and not mask.all())


@given(st.lists(st.tuples(maps, masks), min_size=1, max_size=3), st.sampled_from([0.05, 0.3, 0.999, 1.0]))
def test_area_with_equal_weights_is_sklearns_partial_area(pairs, limit):
    """roc_auc_score(max_fpr) reports McClish's rescaling of the raw partial area; it is undone here."""
    ranking = rank_pixels(pairs)
    label = np.concatenate([mask.ravel() for _, mask in pairs])
    score = np.concatenate([score.ravel() for score, _ in pairs])
    area = ranking.area(1.0 / ranking.defect.size, limit)
    theirs = float(roc_auc_score(label, score, max_fpr=limit))
    if limit < 1.0:
        floor = limit**2 / 2
        theirs = floor + (2 * theirs - 1) * (limit - floor)
    assert area == pytest.approx(theirs, abs=1e-12)


def test_every_region_weighs_the_same():
    mask = np.zeros((5, 9), bool)
    mask[0, 0] = mask[1, 1] = True  # touches at a corner: one region of two pixels
    mask[0, 4:8] = True
    ranking = rank_pixels([(np.arange(45.0).reshape(5, 9), mask)])
    assert ranking.regions == 2
    # ascending by score: pixel (0, 0), then the row of four, then (1, 1)
    np.testing.assert_allclose(ranking.region_weight, [1 / 4, 1 / 8, 1 / 8, 1 / 8, 1 / 8, 1 / 4])


def test_good_parts_and_other_sizes_are_pooled():
    ranking = rank_pixels([(np.zeros((2, 3)), np.zeros((2, 3))), (np.ones((4, 1)), [[0], [255], [0], [0]])])
    assert (ranking.good.size, ranking.defect.size) == (9, 1)
    assert (ranking.above[0], ranking.at_least[0]) == (0, 3)


@pytest.mark.parametrize(
    ("given_type", "kept"),
    [("f2", "f4"), ("u1", "f4"), ("f4", "f4"), (">f4", "f4"), ("i4", "f8"), ("f8", "f8")],
)
def test_scores_are_never_merged_by_rounding(given_type, kept):
    ranking = rank_pixels([(np.array([[1, 2]], given_type), [[0, 1]])])
    assert ranking.good.dtype == kept


@pytest.mark.parametrize(
    ("pairs", "sentence"),
    [
        ([(np.zeros((2, 2)), np.zeros((2, 2)))], "no mask shows a defect"),
        ([], "no mask shows a defect"),
        ([(np.zeros((2, 2)), np.ones((2, 2)))], "needs? good pixels"),
        ([(np.zeros((2, 2)), np.ones((2, 3)))], "map 0 is 2 x 2 and its mask is 2 x 3"),
        ([(np.zeros(4), np.ones(4))], "both must be H x W"),
        ([(np.eye(2), np.eye(2)), (np.full((2, 2), np.nan), np.eye(2))], "map 1 has 4 pixels that are NaN"),
        ([(np.array([[np.inf, 0.0]]), [[0, 1]])], "map 0 has 1 pixels"),
    ],
)
def test_unusable_input_is_said_in_a_sentence(pairs, sentence):
    with pytest.raises(ValueError, match=sentence):
        rank_pixels(pairs)
