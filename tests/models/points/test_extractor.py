"""The point extractor on small clouds: contract, determinism, refusals."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Literal

import numpy as np
import pytest
import torch

from models.layout import GridLayout
from models.points import alignment
from models.points.extractor import PointExtractor
from models.points.network import PointTransformer
from models.preparation.prepare import Frame, PreparedPart
from models.sample import BadSample
from recipes.points import PointNetwork
from tests.golden_inputs import drawn

Build = Callable[[PointNetwork], PointExtractor]


def cloud(seed: int, points: int = 600) -> PreparedPart:
    """`points` valid pixels scattered over a 224 x 224 grid, a wavy sheet half a metre away."""
    g = np.random.Generator(np.random.PCG64(seed))
    pixels = np.sort(g.choice(224 * 224, points, replace=False))
    xyz = np.zeros((224 * 224, 3), np.float32)
    xyz[pixels] = np.stack(
        [pixels % 224 * 4e-4 + 1e-4, pixels // 224 * 4e-4 + 1e-4, 0.5 + g.normal(0, 1e-3, points)], 1
    )
    xyz = xyz.reshape(224, 224, 3)
    return PreparedPart(
        np.zeros((224, 224, 3), np.uint8), xyz, (xyz != 0).all(-1), Frame(224, 224, 0, 0, 224), False
    )


@pytest.fixture(scope="module")
def build(recipe: ModuleType) -> Build:
    weights = drawn(recipe, "pointmae", 3)
    return lambda settings: PointExtractor.load(settings, weights)


SMALL = PointNetwork(groups=48, group_size=16)
GROUPS = PointNetwork(groups=48, group_size=16, side=None)


@pytest.mark.parametrize("settings", [SMALL, GROUPS], ids=["patches", "groups"])
def test_rows_are_bitwise_the_same_alone_and_among_eight(build: Build, settings: PointNetwork) -> None:
    extractor = build(settings)
    parts = [cloud(seed, 300 + 70 * seed) for seed in range(8)]
    batch = extractor(parts)
    assert all(
        torch.equal(grid.rows, extractor([part])[0].rows) for grid, part in zip(batch, parts, strict=True)
    )


@pytest.mark.parametrize("side", [28, 56])
@pytest.mark.parametrize("distances", ["exact", "expanded"])
def test_extraction_equals_its_own_trace(build: Build, side: int, distances: str) -> None:
    extractor = build(PointNetwork(groups=48, group_size=16, side=side, distances=distances))  # pyright: ignore[reportArgumentType]
    part = cloud(1)
    trace = extractor.trace(part)
    (grid,) = extractor([part])
    assert grid.layout == GridLayout(side)
    assert grid.rows.shape == (side * side, 1152)
    assert trace.valid_index.tolist() == np.flatnonzero(part.valid).tolist()
    assert trace.knn_index.shape == (48, 16)
    assert trace.group_features.shape == (48, 1152)
    assert trace.interpolated is not None
    assert trace.interpolated.shape == (600, 1152)
    through_points = alignment.align(trace.interpolated, trace.valid_index, side=side)
    torch.testing.assert_close(grid.rows, through_points, atol=1e-5, rtol=0)
    assert torch.equal(grid.rows.any(1), through_points.any(1))
    assert torch.equal(grid.rows, trace.patches.rows)


def test_point_groups_are_the_patches_and_lie_at_their_centres(build: Build) -> None:
    extractor, part = build(GROUPS), cloud(1)
    trace, (patches,) = extractor.trace(part), extractor([part])
    assert torch.equal(patches.rows, trace.group_features)
    assert torch.equal(patches.rows, trace.patches.rows)
    assert trace.interpolated is None
    pixels = trace.valid_index[trace.fps_index].tolist()
    assert patches.layout.pixels(224).tolist() == pixels
    image = patches.layout.image(np.arange(48, dtype=np.float32), 224)
    np.testing.assert_allclose(image.ravel()[pixels], np.arange(48), atol=1e-6)


@pytest.mark.parametrize("points", [1, 2, 20])
@pytest.mark.parametrize("scaling", ["raw", "unit_sphere"])
@pytest.mark.parametrize("side", [56, None])
def test_tiny_clouds_work(build: Build, points: int, scaling: str, side: Literal[56] | None) -> None:
    extractor = build(PointNetwork(groups=48, group_size=16, scaling=scaling, side=side))  # pyright: ignore[reportArgumentType]
    (patches,) = extractor([cloud(2, points)])
    assert patches.rows.isfinite().all()
    assert patches.rows.any()
    assert len(patches.rows) == len(patches.layout) == (side * side if side else points)


@pytest.mark.parametrize("settings", [SMALL, GROUPS], ids=["patches", "groups"])
def test_a_part_without_points_is_refused(build: Build, settings: PointNetwork) -> None:
    with pytest.raises(BadSample, match="no valid 3D point"):
        build(settings)([cloud(3, 0)])


def test_unit_sphere_ignores_the_unit_of_length(build: Build) -> None:
    extractor = build(PointNetwork(groups=48, group_size=16, scaling="unit_sphere"))
    part = cloud(4)
    doubled = PreparedPart(part.rgb, 2 * part.xyz, part.valid, part.frame, False)
    one, two = extractor.trace(part).group_features, extractor.trace(doubled).group_features
    torch.testing.assert_close(one, two, atol=1e-4, rtol=0)


def test_weights_that_do_not_fit_are_named() -> None:
    weights = PointTransformer("pointmae", "sample").state_dict()
    weights["norm.scale"] = weights.pop("norm.weight")
    weights["norm.bias"] = torch.zeros(5)
    with pytest.raises(
        ValueError, match=r"missing norm.weight; norm.bias is \(5,\), not \(384,\); unexpected norm.scale"
    ):
        PointExtractor.load(SMALL, weights)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("settings", [SMALL, GROUPS], ids=["patches", "groups"])
def test_cuda_gives_the_host_s_rows(settings: PointNetwork) -> None:
    weights = PointTransformer("pointmae", "sample").state_dict()
    part = cloud(5)
    (host,) = PointExtractor.load(settings, weights)([part])
    (device,) = PointExtractor.load(settings, weights, "cuda")([part])
    assert device.rows.is_cuda
    torch.testing.assert_close(device.rows.cpu(), host.rows, atol=1e-3, rtol=0)
    assert np.array_equal(device.layout.pixels(224), host.layout.pixels(224))
