"""Centres and neighbours against the definition, written plainly."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from models.points import groups as point_groups


def plain_farthest(points: NDArray[np.float32], count: int, allowed: NDArray[np.bool_]) -> list[int]:
    picks, distance = [0], np.full(len(points), np.inf, np.float32)
    while len(picks) < count:
        distance = np.minimum(distance, np.square(points - points[picks[-1]]).sum(1, dtype=np.float32))
        picks.append(int(np.where(allowed, distance, -np.inf).argmax()))
    return picks


def grid(rows: int, columns: int) -> torch.Tensor:
    """A flat organised cloud, full of equal distances."""
    y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    return torch.stack([x, y, torch.full_like(x, 600)], -1).reshape(-1, 3) / 1024


@pytest.mark.parametrize("seed", range(3))
def test_picks_are_the_farthest_in_any_point_order(seed: int) -> None:
    points = torch.randn(700, 3, generator=torch.Generator().manual_seed(seed))
    expected = plain_farthest(points.numpy(), 200, np.ones(700, bool))
    assert point_groups.farthest_points(points, 200).tolist() == expected


def test_ties_go_to_the_lowest_index() -> None:
    points = grid(24, 31)
    expected = plain_farthest(points.numpy(), 300, np.ones(len(points), bool))
    assert point_groups.farthest_points(points, 300).tolist() == expected


def test_published_rule_skips_candidates_near_the_origin_but_not_the_first() -> None:
    points = torch.randn(300, 3, generator=torch.Generator().manual_seed(6)) * 0.03
    points[0] = 0.001
    allowed = (points.square().sum(1) > 1e-3).numpy()
    picks = point_groups.farthest_points(points, 40, skip_near_origin=True)
    assert picks.tolist() == plain_farthest(points.numpy(), 40, allowed)
    assert allowed[picks[1:]].all()


def test_a_cloud_wholly_near_the_origin_repeats_its_first_point_under_the_rule() -> None:
    assert (
        point_groups.farthest_points(torch.full((5, 3), 0.01), 3, skip_near_origin=True).tolist() == [0] * 3
    )


def test_fewer_points_than_groups_makes_every_point_a_centre() -> None:
    points = torch.randn(9, 3, generator=torch.Generator().manual_seed(7))
    assert sorted(point_groups.farthest_points(points, 1024).tolist()) == list(range(9))


def test_neighbours_are_the_nearest_and_the_centre_leads() -> None:
    points = torch.randn(400, 3, generator=torch.Generator().manual_seed(8)) * 0.01 + 0.5
    centres = points[::40]
    index = point_groups.nearest_neighbours(points, centres, 12)
    squared = (centres[:, None].double() - points[None].double()).square().sum(-1)
    assert torch.equal(index, squared.topk(12, largest=False).indices)
    assert torch.equal(index[:, 0], torch.arange(0, 400, 40))


@pytest.mark.parametrize("count", [1, 3])
def test_too_few_neighbours_repeat_the_nearest(count: int) -> None:
    points = torch.randn(count, 3, generator=torch.Generator().manual_seed(9))
    index = point_groups.nearest_neighbours(points, points, 5)
    assert index.shape == (count, 5)
    assert torch.equal(index[:, count:], index[:, :1].expand(-1, 5 - count))
    assert (index[:, :count].sort(1).values == torch.arange(count)).all()


def test_squared_distances_come_from_differences() -> None:
    points = torch.randn(40, 3, generator=torch.Generator().manual_seed(10)) * 1e-4 + 0.5
    squared = point_groups.squared_distances(points[:7], points)
    exact = (points[:7, None].double() - points.double()).square().sum(-1)
    torch.testing.assert_close(squared.double(), exact, rtol=1e-6, atol=0)


def test_squared_norms_round_as_the_host_s_sum_does() -> None:
    points = torch.randn(5000, 3, generator=torch.Generator().manual_seed(11))
    assert torch.equal(point_groups.squared_norms(points), points.square().sum(-1))
