"""What "no return" is, and which parts are refused."""

from __future__ import annotations

import numpy as np
import pytest

from models.sample import BadSample, check_range, make_sample, without_returns


def part(height: int = 40, width: int = 50) -> tuple[np.ndarray, np.ndarray]:
    return np.full((height, width, 3), 7, np.uint8), np.ones((height, width, 3), np.float32)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_pixel_with_any_coordinate_not_finite_has_no_return(value: float, axis: int) -> None:
    rgb, xyz = part()
    xyz[3, 4, axis] = value
    sample = make_sample(rgb, xyz)
    assert not sample.valid[3, 4]
    assert sample.valid.sum() == 40 * 50 - 1
    assert (sample.xyz[3, 4] == 0).all()


def test_only_three_zeros_mean_no_return() -> None:
    rgb, xyz = part()
    xyz[0, 0] = 0
    xyz[1, 1, 0] = 0
    sample = make_sample(rgb, xyz)
    assert not sample.valid[0, 0]
    assert sample.valid[1, 1]


def test_a_declared_value_means_no_return_and_may_be_out_of_range() -> None:
    rgb, xyz = part()
    xyz[5] = 9999
    sample = make_sample(rgb, xyz)
    with pytest.raises(BadSample, match=r"millimetres.*no_return=NUMBER"):
        check_range(sample)
    settled = without_returns(sample, 9999)
    check_range(settled)
    assert settled.valid.sum() == 39 * 50
    assert (settled.xyz[5] == 0).all()
    assert sample.valid.all()
    assert without_returns(sample, None) is sample


def test_z_alone_holds_the_declared_value() -> None:
    rgb, xyz = part()
    xyz[0, 0, 2], xyz[1, 1, 0], xyz[2, 2, 2] = -1, -1, -1.001
    valid = without_returns(make_sample(rgb, xyz), -1).valid
    assert not valid[0, 0]
    assert valid.sum() == 40 * 50 - 1


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("value", [9999.0, -1.0, 0.1, 65.535, -32768.0])
def test_a_declared_value_is_met_in_every_precision(kind: type, value: float) -> None:
    rgb, xyz = part()
    xyz[7] = value
    assert without_returns(make_sample(rgb, xyz.astype(kind)), value).valid.sum() == 39 * 50


def test_a_declared_value_beyond_float16_or_float32_is_met_nowhere() -> None:
    for value in (1e6, 1e300, -3.4028235e38):
        assert without_returns(make_sample(*part()), value).valid.all()


@pytest.mark.parametrize("factor", [1000, -3.4e38, 1e30])
def test_coordinates_out_of_range_are_refused(factor: float) -> None:
    rgb, xyz = part()
    for cloud in (xyz * np.float32(factor), xyz.astype(np.float64) * factor * 1e10):
        with pytest.raises(BadSample) as refused:
            check_range(make_sample(rgb, cloud))
        assert refused.value.code == "out_of_range"


def test_the_input_is_not_changed() -> None:
    rgb, xyz = part()
    xyz[0, 0] = np.nan
    make_sample(rgb, xyz)
    assert np.isnan(xyz[0, 0]).all()


@pytest.mark.parametrize(
    ("rgb", "xyz", "code"),
    [
        (np.zeros((40, 50), np.uint8), part()[1], "rgb_shape"),
        (np.zeros((40, 50, 3), np.uint16), part()[1], "rgb_dtype"),
        (part()[0], np.zeros((40, 50, 4), np.float32), "xyz_shape"),
        (part()[0], np.zeros((3, 40, 50), np.float32), "xyz_shape"),
        (part()[0], np.zeros((40, 50, 3), np.int32), "xyz_dtype"),
        (part()[0], np.zeros((50, 40, 3), np.float32), "size_mismatch"),
        (*part(31, 50), "too_small"),
        (*part(2000, 49), "too_small"),
    ],
)
def test_bad_parts_are_refused_with_a_stable_code(rgb: np.ndarray, xyz: np.ndarray, code: str) -> None:
    with pytest.raises(BadSample) as refused:
        make_sample(rgb, xyz)
    assert refused.value.code == code


def test_what_was_not_recorded_is_said() -> None:
    rgb, xyz = part()
    assert make_sample(rgb, xyz).missing is None
    flat = make_sample(rgb, None)
    assert flat.missing == "xyz"
    assert not flat.valid.any()
    grey = make_sample(None, xyz)
    assert grey.missing == "rgb"
    assert grey.rgb.shape == rgb.shape
    with pytest.raises(ValueError, match="image or a cloud"):
        make_sample(None, None)


def test_denormal_numbers_are_numbers() -> None:
    rgb, xyz = part()
    assert make_sample(rgb, xyz * np.float32(1e-42)).valid.all()
