"""Local quadric fits: what they find on surfaces that are known, at edges, at holes and turned."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from models.relief.quadrics import Blocks, Quadrics, _solved

SIZE, SIDE = 112, 28
ROWS, COLUMNS = np.mgrid[:SIZE, :SIZE].astype(np.float64)
CENTRES = (np.arange(SIDE) + 0.5) * SIZE / SIDE - 0.5
DISC = np.hypot(ROWS - 55.5, COLUMNS - 55.5) < 45
HOLED = DISC & ~(np.hypot(ROWS - 40, COLUMNS - 60) < 6)

Mask = NDArray[np.bool_]


def _fit(heights: NDArray[np.float64], valid: Mask, cells: float, most: int = SIZE) -> tuple[Quadrics, Mask]:
    """At all centres whose cells show some of the part."""
    moments = Blocks.of(heights, valid, most).moments(SIDE, cells)
    shown = valid.reshape(SIDE, SIZE // SIDE, SIDE, SIZE // SIDE).any(axis=(1, 3))
    at = shown & (moments.share > 0.3)
    return moments.fit(at), at


def _at_centres(surface: NDArray[np.float64], at: Mask) -> NDArray[np.float64]:
    """The means of the four points around each centre."""
    middle = (SIZE // SIDE) // 2
    blocks = surface.reshape(SIDE, SIZE // SIDE, SIDE, SIZE // SIDE)
    inner = blocks[:, middle - 1 : middle + 1, :, middle - 1 : middle + 1]
    return inner.mean(axis=(1, 3))[at]


@pytest.mark.parametrize("cells", [0.5, 2.0, 6.0])
@pytest.mark.parametrize("valid", [DISC, HOLED], ids=["edge", "hole"])
def test_a_plane_is_found_at_edges_and_holes_where_a_blur_errs(valid: Mask, cells: float) -> None:
    plane = 0.4 * ROWS - 0.2 * COLUMNS
    found, at = _fit(np.where(valid, plane, 1e6), valid, cells)
    np.testing.assert_allclose(found.height, _at_centres(plane, at), atol=0.05)
    np.testing.assert_allclose(found.slope, np.hypot(0.4, 0.2), rtol=0.02)
    np.testing.assert_allclose(found.bend, 0, atol=0.01)
    assert found.rough.max() < 0.02
    width = cells * SIZE / SIDE
    weight = gaussian_filter(valid.astype(float), width)
    blurred = gaussian_filter(np.where(valid, plane, 0), width) / np.maximum(weight, 1e-9)
    assert np.abs(_at_centres(blurred, at) - _at_centres(plane, at)).max() > 0.15 * width


def test_a_hill_bends_by_its_radius_and_a_hollow_the_other_way() -> None:
    radius = 60.0
    hill = np.sqrt(radius**2 - np.minimum((ROWS - 55.5) ** 2 + (COLUMNS - 55.5) ** 2, 50.0**2))
    for sign in (1, -1):
        found, at = _fit(sign * hill, np.ones_like(DISC), 1.5)
        top = np.flatnonzero(at)[:, None] == SIDE * (SIDE // 2) + SIDE // 2
        (bend,) = found.bend[top.ravel()]
        np.testing.assert_allclose(bend, sign * 6 / radius, rtol=0.05)


def test_a_cylinder_bends_one_way_only() -> None:
    cylinder = np.sqrt(70.0**2 - (COLUMNS - 55.5) ** 2)
    found, at = _fit(cylinder, np.ones_like(DISC), 1.5)
    along = np.flatnonzero(at) % SIDE
    middle = np.isin(along, (13, 14)) & np.isin(np.flatnonzero(at) // SIDE, range(8, 20))
    np.testing.assert_allclose(found.bend[middle, 0], 6 / 70, rtol=0.05)
    np.testing.assert_allclose(found.bend[middle, 1], 0, atol=0.003)


def test_roughness_is_what_no_quadric_explains() -> None:
    rng = np.random.default_rng(3)
    noise = rng.normal(0, 0.3, (SIZE, SIZE))
    found, _ = _fit(0.01 * (ROWS - 50) ** 2 + noise, np.ones_like(DISC), 2.0)
    np.testing.assert_allclose(np.median(found.rough), 0.3 / 8, rtol=0.1)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.5, 1.125, 2.0]), st.integers(1, 3))
def test_a_turned_grid_has_turned_quadrics(seed: int, cells: float, quarters: int) -> None:
    rng = np.random.default_rng(seed)
    heights = 20 * gaussian_filter(rng.normal(size=(SIZE, SIZE)), 4)
    valid = gaussian_filter(rng.normal(size=(SIZE, SIZE)), 6) > -0.02
    found, at = _fit(heights, valid, cells)
    turned, there = _fit(np.rot90(heights, quarters), np.rot90(valid, quarters), cells)
    for name in ("height", "slope", "rough"):
        grid, other = np.full((2, SIDE, SIDE), np.nan)
        grid[at], other[there] = getattr(found, name), getattr(turned, name)
        np.testing.assert_allclose(np.rot90(grid, quarters), other, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(np.sort(found.bend.ravel()), np.sort(turned.bend.ravel()), atol=1e-6)


def test_blocks_of_points_hardly_change_wide_windows() -> None:
    heights = 30 * gaussian_filter(np.random.default_rng(1).normal(size=(SIZE, SIZE)), 5)
    exact, at = _fit(heights, HOLED, 2.0)
    pooled, _ = _fit(heights, HOLED, 2.0, most=SIZE // 2)
    moments = Blocks.of(heights, HOLED, SIZE // 2).moments(SIDE, 2.0)
    assert moments.deviation == 8
    for name, least in (("height", 0.999), ("slope", 0.99)):
        assert np.corrcoef(getattr(exact, name), getattr(pooled, name))[0, 1] > least
    assert at.sum() == len(pooled.height)


def test_a_grid_that_blocks_do_not_divide_stays_as_it_is() -> None:
    assert Blocks.of(np.zeros((30, 30)), np.ones((30, 30), bool), 14).weights.shape == (30, 30)


def test_the_systems_are_solved() -> None:
    rng = np.random.default_rng(0)
    factors = rng.normal(size=(40, 6, 6))
    matrices = factors @ factors.transpose(0, 2, 1) + 0.1 * np.eye(6)
    wanted = rng.normal(size=(40, 6))
    system = np.concatenate([matrices, wanted[..., None]], axis=2).transpose(1, 2, 0).copy()
    expected = np.linalg.solve(matrices, wanted[..., None])[..., 0]
    np.testing.assert_allclose(_solved(system).T, expected, rtol=1e-6, atol=1e-8)
