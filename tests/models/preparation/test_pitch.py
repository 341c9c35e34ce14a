"""The pitch of a cloud, and parts that are not of the good parts' scale."""

from __future__ import annotations

import numpy as np
import pytest

from models.preparation.pitch import check_pitch, point_pitch
from models.preparation.prepare import prepare
from models.sample import BadSample, Sample, make_sample
from recipes.preparation import Preparation
from tests.scenes import PITCH, scene


def part(scale: float = 1.0) -> Sample:
    xyz = (scale * scene(noise=0)).astype(np.float32)
    xyz[np.random.default_rng(0).random(xyz.shape[:2]) < 0.3] = np.nan
    return make_sample(None, xyz)


def test_the_pitch_is_the_distance_of_neighbours() -> None:
    sample = part()
    assert point_pitch(sample.xyz, sample.valid) == pytest.approx(PITCH, rel=0.1)
    lonely = np.zeros((40, 40), bool)
    lonely[::2, ::2] = True
    assert point_pitch(np.ones((40, 40, 3), np.float32), lonely) is None
    assert point_pitch(np.ones((40, 40, 3), np.float32), np.ones((40, 40), bool)) is None


@pytest.mark.parametrize(
    ("scale", "said"),
    [
        (1000, "look like millimetres"),
        (100, "look like centimetres"),
        (1 / 0.0254, "look like inches"),
        (0.001, "good parts look as if they were in millimetres"),
        (4, "resolution"),
        (0.2, "resolution"),
    ],
)
def test_a_part_of_another_scale_is_refused(scale: float, said: str) -> None:
    with pytest.raises(BadSample, match=said) as refused:
        check_pitch(part(scale), PITCH)
    assert refused.value.code == "other_scale"


@pytest.mark.parametrize("scale", [0.5, 1, 2])
def test_a_part_of_about_the_same_scale_passes(scale: float) -> None:
    check_pitch(part(scale), PITCH)


def test_the_preparation_looks_at_the_pitch_where_one_is_known() -> None:
    prepare(part(), Preparation())
    prepare(part(), Preparation(), pitch=PITCH)
    with pytest.raises(BadSample) as refused:
        prepare(part(), Preparation(), pitch=PITCH / 10)
    assert refused.value.code == "other_scale"
    prepare(make_sample(np.zeros((40, 40, 3), np.uint8), None), Preparation("none"), pitch=PITCH)
