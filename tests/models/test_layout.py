"""Where rows lie on the image, and how one number a row becomes an image."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from models.layout import GridLayout, GroupLayout, Layout


def drawn_groups(count: int, size: int = 64) -> GroupLayout:
    return GroupLayout(np.random.default_rng(count).choice(size * size, count, replace=False), size)


@pytest.mark.parametrize(("side", "size"), [(28, 224), (56, 224), (4, 30), (5, 5)])
def test_a_cell_of_a_grid_contains_its_pixel(side: int, size: int) -> None:
    layout = GridLayout(side)
    row, column = np.divmod(layout.pixels(size), size)
    cells = (row * side // size) * side + column * side // size
    np.testing.assert_array_equal(cells, np.arange(len(layout)))


@pytest.mark.parametrize(("side", "size"), [(4, 30), (5, 5), (28, 50), (56, 50), (56, 300), (56, 224)])
def test_a_cell_of_a_grid_touches_each_pixel_that_it_covers_some_of(side: int, size: int) -> None:
    edges = np.arange(side) * size // side, -(-(np.arange(side) + 1) * size // side)
    for row, column in np.random.default_rng(size).integers(size, size=(20, 2)):
        mask = np.zeros((size, size), np.bool_)
        mask[row, column] = True
        touched = GridLayout(side).touches(mask).reshape(side, side)
        expected = [(edges[0] <= place) & (place < edges[1]) for place in (row, column)]
        np.testing.assert_array_equal(touched, np.outer(*expected))


def test_groups_lie_where_their_centres_are_at_any_size() -> None:
    layout = GroupLayout(np.array([0, 65, 64 * 64 - 1]), 64)
    assert layout.pixels(64).tolist() == [0, 65, 4095]
    assert layout.pixels(32).tolist() == [0, 0, 1023]
    assert layout.pixels(128).tolist() == [129, 387, 16383]


@pytest.mark.parametrize("layout", [GridLayout(7), drawn_groups(40)], ids=str)
def test_images_stay_within_their_values_and_one_value_fills_them(layout: Layout) -> None:
    values = np.random.default_rng(0).gamma(3, 1, len(layout)).astype(np.float32)
    for image in (layout.image(values, 64), layout.smooth_image(values, 64, 4)):
        assert image.shape == (64, 64)
        assert image.dtype == np.float32
        assert image.min() >= values.min() * (1 - 1e-6)
        assert image.max() <= values.max() * (1 + 1e-6)
    flat = np.full(len(layout), 3, np.float32)
    np.testing.assert_allclose(layout.smooth_image(flat, 64, 4), 3, rtol=1e-6)


@pytest.mark.parametrize("layout", [GridLayout(7), drawn_groups(40)], ids=str)
def test_smoothing_is_a_true_gaussian_of_the_image(layout: Layout) -> None:
    values = np.random.default_rng(1).gamma(3, 1, len(layout)).astype(np.float32)
    expected = gaussian_filter(layout.image(values, 64).astype(np.float64), 4)
    np.testing.assert_allclose(layout.smooth_image(values, 64, 4), expected, rtol=1e-5)


def plain_spread(values: NDArray[np.float32], layout: GroupLayout, size: int) -> NDArray[np.float64]:
    """Inverse distance over the three nearest centres, a pixel at a time."""
    row, column = np.divmod(layout.pixel, size)
    image = np.empty((size, size))
    for y, x in np.ndindex(size, size):
        distance = np.hypot(row - y, column - x)
        nearest = np.sort(distance)[:3]
        if nearest[0] == 0:
            image[y, x] = values[distance.argmin()]
            continue
        ids = distance.argsort(kind="stable")[:3]
        image[y, x] = (values[ids] / nearest).sum() / (1 / nearest).sum()
        if (distance == nearest[-1]).sum() > 1:
            image[y, x] = np.nan  # which of equally far centres counts is not defined
    return image


def test_a_pixel_takes_from_three_centres_by_inverse_distance() -> None:
    layout = drawn_groups(20, 16)
    values = np.random.default_rng(2).gamma(3, 1, 20).astype(np.float32)
    expected = plain_spread(values, layout, 16)
    defined = ~np.isnan(expected)
    assert defined.mean() > 0.5
    np.testing.assert_allclose(layout.image(values, 16)[defined], expected[defined], rtol=1e-6)
    np.testing.assert_array_equal(layout.image(values, 16).ravel()[layout.pixel], values)


@pytest.mark.parametrize("count", [1, 2])
def test_one_or_two_groups_fill_an_image(count: int) -> None:
    layout = GroupLayout(np.array([3, 60])[:count], 8)
    image = layout.image(np.array([1, 5], np.float32)[:count], 8)
    assert image.ravel()[3] == 1
    assert image[0, 0] == pytest.approx(1 if count == 1 else (1 / 3 + 5 / 65**0.5) / (1 / 3 + 1 / 65**0.5))


def test_groups_on_one_pixel_share_it() -> None:
    layout = GroupLayout(np.array([9, 9, 9, 54]), 8)
    image = layout.image(np.array([1, 2, 3, 8], np.float32), 8)
    assert image.ravel()[9] == pytest.approx(2)
    assert np.isfinite(image).all()
