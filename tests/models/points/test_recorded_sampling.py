"""The device's sampling picks what the host's does."""

from __future__ import annotations

import pytest
import torch

from models.points.groups import farthest_points
from models.points.recorded_sampling import (
    CAPACITY,
    USUAL,
    RecordedSampling,
    first_distances,
    pick_on_device,
    to_record,
)


def cloud(count: int, seed: int) -> torch.Tensor:
    """A part's cloud, near the origin for a third of its points, with many equal distances."""
    points = torch.randn(count, 3, generator=torch.Generator().manual_seed(seed)) * 0.04
    return (points * 512).round() / 512


@pytest.mark.parametrize("skip_near_origin", [False, True])
@pytest.mark.parametrize("count", [40, 300])
def test_the_steps_pick_the_same(count: int, skip_near_origin: bool) -> None:
    points = cloud(count, 5)
    picks = torch.zeros(60, dtype=torch.int64)
    beyond = torch.cat([points, torch.full((100, 3), 7.0)])
    pick_on_device(beyond.T.contiguous(), first_distances(points, len(beyond), skip_near_origin), picks)
    host = farthest_points(points, 60, skip_near_origin=skip_near_origin)
    assert torch.equal(picks[: len(host)], host)


def test_all_usual_sizes_are_recorded_at_the_first_cloud() -> None:
    usual = [CAPACITY, 2 * CAPACITY, 3 * CAPACITY, 4 * CAPACITY]
    assert usual[-1] == USUAL >= 224 * 224
    assert to_record(CAPACITY, []) == usual
    assert to_record(2 * CAPACITY, usual) == []
    assert to_record(5 * CAPACITY, usual) == [5 * CAPACITY]
    assert to_record(5 * CAPACITY, []) == [*usual, 5 * CAPACITY]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("skip_near_origin", [False, True])
def test_a_recording_serves_clouds_of_any_size(skip_near_origin: bool) -> None:
    sample = RecordedSampling(200, torch.device("cuda"), skip_near_origin=skip_near_origin)
    for seed, count in enumerate([3000, 150, 1, CAPACITY + 5, 50_000, 3000]):
        points = cloud(count, seed)
        host = farthest_points(points, 200, skip_near_origin=skip_near_origin)
        assert torch.equal(sample(points.cuda()).cpu(), host)
