"""Regions in source pixels and metres."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from banks.decision.regions import find_regions
from models.preparation.prepare import Frame

SIZE = 56
PLAIN = Frame(height=SIZE, width=SIZE, top=0, left=0, side=SIZE)


def cloud() -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """A plane seen straight on: a millimetre a pixel, half a metre away."""
    y, x = np.mgrid[0:SIZE, 0:SIZE] / 1000
    return np.stack([x, y, np.full_like(x, 0.5)], axis=-1).astype(np.float32), np.ones((SIZE, SIZE), bool)


def spotted(*spots: tuple[int, int, int, int, float]) -> NDArray[np.float32]:
    """A map with rectangles (top, left, height, width) of a value."""
    score_map = np.zeros((SIZE, SIZE), np.float32)
    for top, left, height, width, value in spots:
        score_map[top : top + height, left : left + width] = value
    return score_map


def test_one_region() -> None:
    score_map = spotted((10, 20, 4, 6, 2.0))
    score_map[11, 23] = 3
    (found,) = find_regions(score_map, 1.0, PLAIN, *cloud())
    assert found.box == (20, 10, 26, 14)
    assert found.centroid == (23, 12)
    assert found.area == 24
    assert (found.peak, found.peak_pixel) == (3, (23, 11))
    assert found.centroid_m == pytest.approx((0.0225, 0.0115, 0.5))
    assert found.extent_m == pytest.approx((0.005, 0.003, 0))
    assert found.box_m is not None
    assert np.allclose(found.box_m, [(0.02, 0.01, 0.5), (0.025, 0.013, 0.5)])


def test_padding_and_scale_lead_back_to_the_source() -> None:
    frame = Frame(height=112, width=224, top=56, left=0, side=224)
    (found,) = find_regions(spotted((10, 20, 10, 6, 2.0)), 1.0, frame, *cloud())
    assert found.box == (80, 0, 104, 24)  # the rows in the padding are cut off
    assert found.area == 6 * 6 * 16
    assert found.peak_pixel == (82, 2)


def test_order_limit_and_specks() -> None:
    spots = [(8 * k, 8 * k, 4, 4, 1.0 + k) for k in range(5)]
    found = find_regions(spotted(*spots, (50, 4, 2, 2, 99.0)), 1.0, PLAIN, *cloud(), limit=3)
    assert [region.peak for region in found] == [5, 4, 3]
    assert find_regions(spotted(*spots), 5.0, PLAIN, *cloud()) == []
    assert find_regions(spotted((5, 5, 1, 1, 2.0)), 1.0, PLAIN, *cloud(), minimum=1)[0].area == 1


def test_corners_connect() -> None:
    (found,) = find_regions(spotted((10, 10, 4, 4, 2.0), (14, 14, 4, 4, 2.0)), 1.0, PLAIN, *cloud())
    assert found.area == 32


def test_a_hole_has_no_metres() -> None:
    xyz, valid = cloud()
    valid[8:16, 8:16] = False
    found = find_regions(spotted((10, 10, 4, 4, 2.0), (30, 30, 4, 4, 1.5)), 1.0, PLAIN, xyz, valid)
    assert found[0].centroid_m is None
    assert found[0].extent_m is None
    assert found[1].centroid_m is not None


def test_shapes_must_match() -> None:
    xyz, valid = cloud()
    with pytest.raises(ValueError, match="do not match"):
        find_regions(np.zeros((8, 8), np.float32), 1.0, PLAIN, xyz, valid)


def test_a_region_has_an_area_in_square_metres() -> None:
    xyz, valid = cloud()
    xyz[12, 22, 2] = 0.1  # one flying point
    (found,) = find_regions(spotted((10, 20, 10, 12, 2.0)), 1.0, PLAIN, xyz, valid)
    assert found.area_m2 == pytest.approx(120e-6, rel=1e-4)
    assert found.extent_m is not None
    assert found.extent_m[2] == pytest.approx(0)


def test_a_region_without_points_has_no_size_in_metres() -> None:
    xyz, valid = cloud()
    (found,) = find_regions(spotted((10, 20, 4, 6, 2.0)), 1.0, PLAIN, xyz, np.zeros_like(valid))
    assert (found.area_m2, found.box_m, found.extent_m) == (None, None, None)


def test_the_place_that_decided_is_in_a_region_even_below_the_threshold() -> None:
    score_map = spotted((10, 20, 4, 6, 2.0), (40, 30, 5, 5, 0.5), (42, 32, 1, 1, 0.6))
    (highest, found) = find_regions(score_map, 1.0, PLAIN, *cloud(), decided=(32.5 / SIZE, 42.5 / SIZE))
    assert (highest.peak, found.peak) == (2.0, pytest.approx(0.6))
    assert found.box == (30, 40, 35, 45)


def test_a_place_in_the_padding_leads_to_the_nearest_pixel_of_the_source() -> None:
    """A patch that reaches into the source has its centre outside."""
    frame = Frame(height=SIZE, width=SIZE - 11, top=0, left=11, side=SIZE)
    score_map = spotted((40, 8, 2, 6, 0.5))
    (found,) = find_regions(score_map, 1.0, frame, *cloud(), decided=(10 / SIZE, 41 / SIZE))
    assert found.box == (0, 40, 3, 42)


def test_the_place_that_decided_keeps_a_speck_and_the_last_of_many_regions() -> None:
    speck = spotted((5, 5, 4, 4, 3.0), (30, 30, 1, 1, 2.0))
    found = find_regions(speck, 1.0, PLAIN, *cloud(), decided=(30.5 / SIZE, 30.5 / SIZE), limit=1)
    assert [region.area for region in found] == [16, 1]
