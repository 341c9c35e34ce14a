"""What arrives is what was sent: every array and every number."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np
import pytest

from banks.decision.calibration import Calibration
from banks.detector import Detector
from models.layout import GroupLayout
from models.sample import make_sample
from service.cluster.wire import (
    calibration_json,
    pack_result,
    pack_sample,
    unpack_result,
    unpack_sample,
)
from tests.service.cluster.kept import KEPT, kept_sample


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal to the last bit, arrays and types included."""
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other)
    if is_dataclass(one):
        return type(one) is type(other) and all(
            same(getattr(one, field.name), getattr(other, field.name)) for field in fields(one)
        )
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and one == other


def test_a_part_arrives_as_it_was_sent() -> None:
    sample = kept_sample()
    assert same(unpack_sample(pack_sample(sample)), sample)
    no_cloud = replace(make_sample(sample.rgb, None), image_size=(7, 9))
    assert same(unpack_sample(pack_sample(no_cloud)), no_cloud)


def test_a_result_arrives_as_it_was_sent() -> None:
    (result,) = Detector.load(KEPT / "biscuit" / "v1").score([kept_sample()])
    assert not isinstance(result, Exception)
    assert same(unpack_result(pack_result(result)), result)
    grouped = replace(
        result,
        scores=replace(
            result.scores,
            findings={
                name: replace(finding, layout=GroupLayout(np.arange(5), 20), nearest=None)
                for name, finding in result.scores.findings.items()
            },
        ),
        prepared=replace(result.prepared, look=np.ones(result.map.shape, np.uint8), plane_found=None),
    )
    assert same(unpack_result(pack_result(grouped)), grouped)


@pytest.mark.parametrize("size", [0, 7, 100, 10_000])
def test_a_damaged_message_is_no_part_and_no_result(size: int) -> None:
    cut = pack_sample(kept_sample())[:size]
    for unpack in (unpack_sample, unpack_result):
        with pytest.raises(ValueError, match="no message"):
            unpack(cut)


def test_two_calibrations_have_one_text_only_if_they_are_equal() -> None:
    scores = (0.2, 0.4, 1 / 3)
    one = Calibration(0.8, "counted", 0.01, scores, scores, 0.7, (0.5, 0.9))
    assert calibration_json(one) == calibration_json(replace(one, scores=scores[:2] + scores[2:]))
    assert calibration_json(one) != calibration_json(one.with_threshold(np.nextafter(0.8, 1)))
