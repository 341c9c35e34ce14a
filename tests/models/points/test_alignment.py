"""Alignment against the published pooling operations, spelled out."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from models.points import alignment


@pytest.fixture
def points() -> torch.Tensor:
    """(500, 3) float32 metres."""
    return torch.rand(500, 3, generator=torch.Generator().manual_seed(1)) * 0.1


@pytest.fixture
def pixels() -> torch.Tensor:
    """(500,) distinct pixels of a 48 x 48 image, row-major, ascending."""
    return torch.randperm(48 * 48, generator=torch.Generator().manual_seed(2))[:500].sort().values


def published(features: torch.Tensor, pixels: torch.Tensor, size: int, side: int) -> torch.Tensor:
    image = torch.zeros(size * size, features.shape[1])
    image[pixels] = features
    plane = image.T.reshape(1, -1, size, size)
    pooled = functional.adaptive_avg_pool2d(functional.avg_pool2d(plane, 3, stride=1), side)
    return pooled[0].flatten(1).T


@pytest.mark.parametrize("side", [5, 12, 24])
def test_align_equals_the_published_pooling(pixels: torch.Tensor, side: int) -> None:
    features = torch.randn(500, 7, generator=torch.Generator().manual_seed(3))
    ours = alignment.align(features, pixels, size=48, side=side)
    torch.testing.assert_close(ours, published(features, pixels, 48, side), atol=1e-6, rtol=0)


def test_full_size_grid_overlaps_its_bins_as_published() -> None:
    pixels = torch.arange(0, 224 * 224, 3)
    features = torch.randn(len(pixels), 2, generator=torch.Generator().manual_seed(4))
    for side in (28, 56):
        ours = alignment.align(features, pixels, side=side)
        torch.testing.assert_close(ours, published(features, pixels, 224, side), atol=1e-6, rtol=0)


def test_patches_without_points_are_exactly_zero() -> None:
    rows = alignment.align(torch.ones(1, 4), torch.tensor([0]), size=48, side=12)
    assert torch.equal(rows.any(1).nonzero()[:, 0], torch.tensor([0]))


def test_group_path_equals_point_path(points: torch.Tensor, pixels: torch.Tensor) -> None:
    tokens = torch.randn(40, 9, generator=torch.Generator().manual_seed(5))
    index, weight = alignment.interpolation(points, points[::13][:40])
    through_points = alignment.align(alignment.interpolate(tokens, index, weight), pixels, size=48, side=12)
    fused = alignment.align_groups(tokens, index, weight, pixels, size=48, side=12)
    torch.testing.assert_close(fused, through_points, atol=1e-6, rtol=0)
    assert torch.equal(fused.any(1), through_points.any(1))


def test_interpolation_takes_the_three_nearest_by_inverse_squared_distance(points: torch.Tensor) -> None:
    centres = points[::20]
    index, weight = alignment.interpolation(points, centres)
    squared = (points[:, None].double() - centres[None].double()).square().sum(-1)
    nearest = squared.topk(3, largest=False)
    inverse = 1 / (nearest.values + 1e-8)
    assert torch.equal(index, nearest.indices)
    torch.testing.assert_close(weight, (inverse / inverse.sum(1, keepdim=True)).float())


def test_fewer_than_three_centres_share_what_there_is(points: torch.Tensor) -> None:
    index, weight = alignment.interpolation(points, points[:1])
    assert index.shape == weight.shape == (500, 3)
    assert torch.equal(weight, torch.tensor([[1.0, 0.0, 0.0]]).expand(500, 3))
    tokens = torch.tensor([[2.0, 3.0]])
    assert torch.equal(alignment.interpolate(tokens, index, weight), tokens.expand(500, 2))


def test_expand_equals_the_published_adaptive_pool() -> None:
    rows = torch.randn(784, 3, generator=torch.Generator().manual_seed(6))
    pooled = functional.adaptive_avg_pool2d(rows.T.reshape(1, 3, 28, 28), 56)[0].flatten(1).T
    assert torch.equal(alignment.expand(rows), pooled)


def test_expand_refuses_what_is_not_a_square() -> None:
    with pytest.raises(ValueError, match="785 rows"):
        alignment.expand(torch.zeros(785, 3))


def test_the_device_form_equals_the_host_form(pixels: torch.Tensor) -> None:
    features = torch.randn(500, 7, generator=torch.Generator().manual_seed(7))
    on_device = alignment._pool(features, pixels, 48, 12)
    torch.testing.assert_close(
        on_device, alignment.align(features, pixels, size=48, side=12), atol=1e-6, rtol=0
    )


def test_published_rounding_weighs_by_expanded_float32_squares() -> None:
    points = torch.rand(300, 3, generator=torch.Generator().manual_seed(8)) * 0.05 + torch.tensor([0, 0, 0.6])
    centres = points[::10]
    expanded = -2 * (points @ centres.T) + points.square().sum(1)[:, None] + centres.square().sum(1)
    index, weight = alignment.interpolation(points, centres, expanded=True)
    squared = expanded.gather(1, index)
    torch.testing.assert_close(squared, expanded.sort(dim=1).values[:, :3], atol=2e-7, rtol=0)
    exact_index, exact_weight = alignment.interpolation(points, centres)
    assert (index == exact_index).float().mean() > 0.95
    assert not torch.equal(weight, exact_weight)
