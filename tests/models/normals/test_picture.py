"""Normals of surfaces whose normals are known, and the picture's promises."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.normals.picture import normals, picture

SIZE = 64


def surface(slope_x: float, slope_y: float, distance: float = 0.5) -> NDArray[np.float32]:
    """A plane z = distance + slope_x * x + slope_y * y over a grid of millimetres."""
    y, x = np.mgrid[:SIZE, :SIZE] * 1e-3 - SIZE * 0.5e-3
    return np.stack([x, y, distance + slope_x * x + slope_y * y], axis=-1).astype(np.float32)


EVERYWHERE = np.ones((SIZE, SIZE), np.bool_)


@given(st.floats(-1, 1), st.floats(-1, 1), st.floats(0.5, 3))
@settings(max_examples=30, deadline=None)
def test_a_plane_has_its_normal_everywhere(slope_x: float, slope_y: float, smoothing: float) -> None:
    expected = np.array([slope_x, slope_y, -1]) / np.hypot(np.hypot(slope_x, slope_y), 1)
    of_point = normals(surface(slope_x, slope_y), EVERYWHERE, smoothing)
    np.testing.assert_allclose(of_point, np.broadcast_to(expected, of_point.shape), atol=2e-3)


def test_a_sphere_has_the_normals_of_a_sphere() -> None:
    xyz = surface(0, 0)
    radius = 0.05
    xyz[..., 2] = 0.5 - np.sqrt(radius**2 - (xyz[..., :2] ** 2).sum(axis=-1))
    of_point = normals(xyz, EVERYWHERE, 0.5)
    expected = (xyz - np.array([0, 0, 0.5], np.float32)) / radius
    inner = slice(4, -4)
    np.testing.assert_allclose(of_point[inner, inner], expected[inner, inner], atol=5e-3)


def test_the_unit_of_the_cloud_does_not_matter() -> None:
    xyz = surface(0.1, 0)
    xyz[20:30, 20:30, 2] -= 0.002
    np.testing.assert_allclose(normals(xyz, EVERYWHERE, 1), normals(1000 * xyz, EVERYWHERE, 1), atol=1e-3)


def test_a_cloud_with_its_z_turned_over_has_normals_on_the_same_side() -> None:
    """Height maps have z towards the sensor."""
    up = surface(0.2, 0)
    up[..., 2] *= -1
    assert (normals(up, EVERYWHERE, 1)[..., 2] < 0).all()


def test_holes_are_black_and_leave_the_normals_around_them() -> None:
    valid = EVERYWHERE.copy()
    valid[30:34, 30:34] = valid[:, 50:] = False
    xyz = np.where(valid[..., None], surface(0.3, -0.2), np.float32(0))
    of_point = normals(xyz, valid, 1)
    assert not of_point[~valid].any()
    expected = np.array([0.3, -0.2, -1]) / np.sqrt(1.13)
    np.testing.assert_allclose(of_point[valid], np.broadcast_to(expected, (valid.sum(), 3)), atol=2e-2)


def test_a_flat_part_is_one_colour_however_it_is_tilted() -> None:
    for slope in (0.0, 0.3, -0.8):
        colours = picture(surface(slope, slope / 2), EVERYWHERE, smoothing=1, gain=3)
        np.testing.assert_allclose(colours, np.broadcast_to([0.5, 0.5, 1], colours.shape), atol=2e-3)


def test_gain_multiplies_the_slope() -> None:
    """A roof of two faces, with slopes of 0.05 to both sides."""
    xyz = surface(0, 0)
    xyz[..., 2] = 0.5 + 0.05 * np.abs(xyz[..., 0])
    for gain in (1.0, 4.0):
        left = picture(xyz, EVERYWHERE, smoothing=1, gain=gain)[32, 8] * 2 - 1
        assert abs(left[0] / left[2]) == pytest.approx(0.05 * gain, rel=0.02)


@pytest.mark.parametrize("points", [0, 1, 2])
def test_hardly_any_point_gives_a_black_picture(points: int) -> None:
    valid = np.zeros((SIZE, SIZE), np.bool_)
    valid[5, 5 : 5 + points] = True
    xyz = np.where(valid[..., None], surface(0, 0), np.float32(0))
    assert not picture(xyz, valid, smoothing=1, gain=3).any()
