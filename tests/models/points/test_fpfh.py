"""FPFH against the published baseline, and the promises the detector rests on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from models.layout import GridLayout
from models.libraries import import_open3d
from models.points.fpfh import FpfhExtractor, histograms, overlapping, stretched
from models.preparation.prepare import PreparedPart
from recipes.points import PRESETS, FpfhSettings

EMBEDDED = PRESETS["embedded"].resolved(None)
CLOUDS = Path(__file__).parents[2] / "data" / "clouds"
open3d = import_open3d()


@pytest.fixture(scope="module")
def part(golden_part: Callable[[int], PreparedPart]) -> PreparedPart:
    return golden_part(7)


def with_valid(part: PreparedPart, valid: np.ndarray) -> PreparedPart:
    xyz = np.where(valid[..., None], part.xyz, np.float32(0))
    return PreparedPart(part.rgb, xyz, valid, part.frame, part.plane_found)


def test_matches_the_published_code(part: PreparedPart, golden: Mapping[str, np.ndarray]) -> None:
    (grid,) = FpfhExtractor(PRESETS["btf"], side=56)([part])
    expected = golden["fpfh_56x56_rows"]
    assert grid.rows.dtype == torch.float32
    error = np.abs(grid.rows.numpy()[golden["rows"]] - expected).max()
    assert error <= 1e-3 * np.abs(expected).max()


def published(points: np.ndarray, settings: FpfhSettings) -> np.ndarray:
    """What Open3D computes."""
    normal_radius, feature_radius, _ = settings.numbers()
    cloud = open3d.geometry.PointCloud(open3d.utility.Vector3dVector(points.astype(np.float64)))
    search = open3d.geometry.KDTreeSearchParamHybrid
    cloud.estimate_normals(search(normal_radius, settings.normal_neighbours))
    if settings.towards_camera:
        cloud.orient_normals_towards_camera_location(np.zeros(3))
    feature = open3d.pipelines.registration.compute_fpfh_feature(  # pyright: ignore[reportCallIssue]
        cloud, search(feature_radius, settings.feature_neighbours)
    )
    return np.asarray(feature.data).T.astype(np.float32)


@pytest.mark.parametrize("settings", [EMBEDDED, PRESETS["btf"]], ids=["embedded", "btf"])
def test_equals_open3d_on_a_part(part: PreparedPart, settings: FpfhSettings) -> None:
    points = part.xyz[::2, ::2][part.valid[::2, ::2]]
    assert np.array_equal(histograms(points, settings), published(points, settings))


@pytest.mark.parametrize("cloud", ["kinect", "milk", "office"])
def test_equals_open3d_on_a_scan_with_many_points_equally_near(cloud: str) -> None:
    """A sensor that measures in steps. Which of two equally near points counts is Open3D's choice."""
    points = np.asarray(open3d.io.read_point_cloud(str(CLOUDS / f"{cloud}.pcd")).points, np.float32)
    points = points[np.isfinite(points).all(axis=1)][:4000]
    settings = replace(EMBEDDED, normal_radius=0.02, feature_radius=0.04)
    assert np.array_equal(histograms(points, settings), published(points, settings))


@hypothesis_settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(1, 300),
    step=st.sampled_from([0.0, 0.001, 0.004]),
    heights=st.sampled_from([0.0, 0.0001, 0.01]),
    radius=st.sampled_from([0.003, 0.01, 1.0]),
    most=st.integers(1, 40),
    towards_camera=st.booleans(),
)
def test_equals_open3d_on_any_cloud(
    seed: int, count: int, step: float, heights: float, radius: float, most: int, towards_camera: bool
) -> None:
    """Clouds with copies, in steps, on a plane or not, with few and many neighbours."""
    points = np.random.default_rng(seed).random((count, 3)) * (0.05, 0.05, heights) + (0, 0, 0.4)
    if step:
        points = np.round(points / step) * step
    points = points.astype(np.float32)
    chosen = FpfhSettings(radius, most, 2 * radius, 2 * most, towards_camera=towards_camera)
    assert np.allclose(histograms(points, chosen), published(points, chosen), rtol=1e-6, atol=1e-9)


def test_alone_or_among_others_is_bitwise_the_same(golden_part: Callable[[int], PreparedPart]) -> None:
    extractor = FpfhExtractor(EMBEDDED)
    part, other = golden_part(7), golden_part(4)
    (alone,) = extractor([part])
    _, among, _ = extractor([other, part, other])
    assert alone.layout == GridLayout(28)
    assert alone.rows.shape == (784, 33)
    assert torch.equal(alone.rows, among.rows)


def test_patches_overlap_by_half(part: PreparedPart) -> None:
    """A patch is the mean over 4 x 4 half patches, weighted 1, 2, 2, 1 along each edge."""
    (halves,) = FpfhExtractor(EMBEDDED, side=56)([part])
    (whole,) = FpfhExtractor(EMBEDDED, side=28, overlap=True)([part])
    grid = halves.rows.double().view(56, 56, 33).numpy()
    weight = np.array([1, 2, 2, 1]) / 6
    expected = np.einsum("i,j,ijc->c", weight, weight, grid[23:27, 35:39])
    np.testing.assert_allclose(whole.rows.view(28, 28, 33)[12, 18].numpy(), expected, rtol=1e-5, atol=1e-5)
    assert whole.layout == GridLayout(28)


def test_overlapping_patches_of_one_vector_are_that_vector() -> None:
    row = torch.arange(5, dtype=torch.float32)
    assert torch.allclose(overlapping(row.repeat(4 * 36, 1), 6), row.repeat(36, 1))


def test_normals_towards_the_camera_do_not_depend_on_the_solver(part: PreparedPart) -> None:
    """A histogram must not change because a neighbour elsewhere was turned over: mirror the point order."""
    points = part.xyz[::2, ::2][part.valid[::2, ::2]]
    forward = histograms(points, EMBEDDED)
    backward = histograms(points[::-1].copy(), EMBEDDED)[::-1]
    close = np.isclose(forward, backward, rtol=0, atol=1e-2).all(1)
    assert close.mean() > 0.95  # ties among the capped neighbours resolve by order


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_a_part_with_almost_no_points_has_finite_rows(part: PreparedPart, count: int) -> None:
    kept = np.flatnonzero(part.valid)[:count]
    valid = np.zeros(part.valid.size, np.bool_)
    valid[kept] = True
    (grid,) = FpfhExtractor()([with_valid(part, valid.reshape(part.valid.shape))])
    assert grid.rows.isfinite().all()


def test_patches_without_points_are_zero(part: PreparedPart) -> None:
    valid = part.valid.copy()
    valid[:, :112] = False
    (grid,) = FpfhExtractor()([with_valid(part, valid)])
    rows = grid.rows.view(28, 28, 33)
    assert not rows[:, :13].any()
    assert rows[10:18, 16:20].any()


@pytest.mark.parametrize("wrong", [{"normal_radius": 0.0}, {"averaged": 0}, {"scales": (0, 1)}], ids=str)
def test_settings_must_be_positive(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="positive"):
        replace(PRESETS["btf"], **wrong)


@pytest.mark.parametrize("scales", [(), (2, 1), (1, 1)], ids=str)
def test_scales_must_rise(scales: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="rise"):
        replace(EMBEDDED, scales=scales)


def test_each_scale_has_the_histograms_of_so_many_neighbours(part: PreparedPart) -> None:
    points = part.xyz[::2, ::2][part.valid[::2, ::2]]
    together = histograms(points, replace(EMBEDDED, scales=(1, 3)))
    alone = [histograms(points, replace(EMBEDDED, feature_neighbours=count)) for count in (60, 180)]
    np.testing.assert_array_equal(together, np.concatenate(alone, axis=1))
    assert (alone[0] != alone[1]).any(axis=1).mean() > 0.9


@pytest.mark.parametrize("most", [2, 9, 128])
def test_means_are_of_the_nearest_points(most: int) -> None:
    points = np.random.default_rng(most).random((200, 3)).astype(np.float32)
    near = replace(EMBEDDED, normal_radius=0.2, feature_radius=0.3, scales=(1, 2))
    single, apart = (
        histograms(points, near),
        np.linalg.norm(points[:, None] - points.astype(np.float64), axis=2),
    )
    reached = np.where(apart < 0.3, apart, np.inf)
    chosen = [row.argsort()[: min(most, np.isfinite(row).sum())] for row in reached]
    expected = np.stack([single[index].mean(axis=0, dtype=np.float64) for index in chosen])
    np.testing.assert_allclose(
        histograms(points, replace(near, averaged=most)), expected, rtol=1e-5, atol=1e-4
    )


def test_an_extractor_of_several_scales_says_how_wide_its_rows_are(part: PreparedPart) -> None:
    extractor = FpfhExtractor(replace(EMBEDDED, scales=(1, 2, 3), averaged=32), side=28)
    (grid,) = extractor([part])
    assert grid.rows.shape == (784, extractor.channels) == (784, 99)
    sums = grid.rows.unflatten(1, (9, 11)).sum(dim=2)
    torch.testing.assert_close(sums, sums[:, :1].expand(-1, 9), rtol=1e-5, atol=1e-3)
    assert sums.max() == pytest.approx(200, rel=1e-5)


def test_radii_that_follow_the_product_must_be_resolved(part: PreparedPart) -> None:
    assert EMBEDDED.numbers() == (0.005, 0.01, 1)
    with pytest.raises(ValueError, match="follow the product"):
        histograms(part.xyz[part.valid], PRESETS["embedded"])


def test_a_flat_part_with_stretched_heights_has_the_histograms_of_the_part(part: PreparedPart) -> None:
    """Of a part that is flatter by a factor of 5 along the normal of its mean plane."""
    points = part.xyz[::2, ::2][part.valid[::2, ::2]].astype(np.float64)
    flat = stretched(points, 0.2).astype(np.float32)
    expected = histograms(points.astype(np.float32), EMBEDDED)
    same = np.isclose(histograms(flat, replace(EMBEDDED, relief=5.0)), expected, rtol=0, atol=1).all(1)
    assert same.mean() > 0.9
    assert np.isclose(histograms(flat, EMBEDDED), expected, rtol=0, atol=1).all(1).mean() < 0.1
