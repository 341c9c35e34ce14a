from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_curve, roc_auc_score
from sklearn.metrics import roc_curve as sklearn_roc_curve

from evaluation.metrics.detection import (
    best_f1,
    image_auroc,
    operating_point,
    pixel_metrics,
    recall_at,
    roc_curve,
)

score = st.one_of(st.integers(-3, 3).map(float), st.floats(-1e300, 1e300))
parts = st.lists(st.tuples(score, st.booleans()), min_size=2, max_size=30).filter(
    lambda rows: len({label for _, label in rows}) == 2
)


def columns(rows):
    return [score for score, _ in rows], [label for _, label in rows]


@given(parts)
def test_image_auroc_is_sklearns(rows):
    scores, labels = columns(rows)
    assert image_auroc(scores, labels) == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)


@given(parts)
def test_best_f1_is_the_best_of_all_thresholds(rows):
    scores, labels = columns(rows)
    precision, recall, _ = precision_recall_curve(labels, scores)
    every = 2 * precision * recall / np.maximum(precision + recall, 1e-300)
    assert best_f1(scores, labels).f1 == pytest.approx(every.max(), abs=1e-12)


@given(parts, st.floats(0, 0.99))
def test_recall_at_keeps_to_its_rate_and_no_lower_threshold_would(rows, rate):
    scores, labels = columns(rows)
    point = recall_at(scores, labels, rate)
    assert point.false_rejects <= rate * point.goods + 1e-6
    lower = operating_point(scores, labels, float(np.nextafter(point.threshold, -np.inf)))
    assert lower.false_rejects > rate * point.goods


@given(parts)
def test_roc_curve_has_sklearns_points(rows):
    scores, labels = columns(rows)
    rate, recall, threshold = roc_curve(scores, labels)
    theirs = sklearn_roc_curve(labels, scores, drop_intermediate=False)
    np.testing.assert_allclose(rate, theirs[0], atol=1e-12)
    np.testing.assert_allclose(recall, theirs[1], atol=1e-12)
    assert np.all(np.diff(threshold) < 0)


def test_a_rate_is_a_number_of_parts():
    scores, labels = np.arange(110), np.repeat([0, 1], [100, 10])
    assert recall_at(scores, labels, 0.29).false_rejects == 29
    assert recall_at(scores, labels, 0.001).false_rejects == 0
    with pytest.raises(ValueError, match="false-reject rate"):
        recall_at(scores, labels, 1.0)


def test_the_f1_threshold_lies_between_the_parts_it_separates():
    point = best_f1([1.0, 2.0, 4.0, 5.0], [0, 0, 1, 1])
    assert (point.threshold, point.recall, point.precision, point.f1) == (3.0, 1.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("scores", "labels", "sentence"),
    [
        ([1.0, 2.0], [1, 1], "no good part among the 2"),
        ([1.0, 2.0], [0, 0], "no defective part"),
        ([1.0, np.nan], [0, 1], "part 1 has a score"),
        ([1.0], [0, 1], "1 scores for 2 labels"),
    ],
)
def test_unusable_parts_are_said_in_a_sentence(scores, labels, sentence):
    for metric in (image_auroc, best_f1, roc_curve):
        with pytest.raises(ValueError, match=sentence):
            metric(scores, labels)


def test_pixel_metrics_come_by_limit():
    mask = np.eye(8, dtype=bool)
    metrics = pixel_metrics([(mask * 1.0, mask)], limits=(0.3, 0.2))
    assert metrics.pixel_auroc == 1.0
    assert list(metrics.aupro) == list(metrics.aupro_exact) == [0.3, 0.2]
