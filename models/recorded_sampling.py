"""Farthest point sampling on a CUDA device, recorded once and replayed (paper sec. 3.2)."""

from __future__ import annotations

from typing import Any

import torch

from models.point_groups import NEAR_ORIGIN, squared_norms

CAPACITY = 1 << 14
"""Points of a recording, or a multiple of them. A step costs more with more points, a new recording once."""


class RecordedSampling:
    """`point_groups.farthest_points` on a CUDA device, the same picks: all its steps are one CUDA graph.

    A thousand steps, each waiting for the one before, cost more to launch one by one than the host needs for
    all of them. The steps are recorded at the first cloud (about 0.2 s) and replayed for every other. Not
    thread-safe: one for each owner of the device.
    """

    def __init__(self, count: int, device: torch.device, *, skip_near_origin: bool = False) -> None:
        self._count = count
        self._device = device
        self._skip_near_origin = skip_near_origin
        self._graph: Any = None
        self._points = torch.empty(3, 0)
        self._distance = torch.empty(0)
        self._picks = torch.empty(0)

    @torch.inference_mode()
    def __call__(self, points: torch.Tensor) -> torch.Tensor:
        """points: (N, 3) float32 metres on the device, N > 0. Returns (min(count, N),) int64 there."""
        with torch.cuda.device(self._device):
            if len(points) > len(self._distance):
                self._record(-(-len(points) // CAPACITY) * CAPACITY)
            self._points[:, : len(points)] = points.T
            self._distance.copy_(first_distances(points, len(self._distance), self._skip_near_origin))
            self._graph.replay()
        return self._picks[: len(points)].clone()

    def _record(self, capacity: int) -> None:
        """Run once, as kernels must be loaded before they can be recorded, then record."""
        points = torch.zeros(3, capacity, device=self._device)
        distance = torch.zeros(capacity, device=self._device)
        picks = torch.zeros(self._count, dtype=torch.int64, device=self._device)
        pick_on_device(points, distance, picks[:2])
        graph = torch.cuda.CUDAGraph()
        # "thread_local": meanwhile another thread may load banks to the device
        with torch.cuda.graph(graph, capture_error_mode="thread_local"):
            pick_on_device(points, distance, picks)
        self._graph, self._points, self._distance, self._picks = graph, points, distance, picks


def first_distances(points: torch.Tensor, capacity: int, skip_near_origin: bool) -> torch.Tensor:
    """(capacity,) float32: infinite for a candidate, -infinite for what is none or beyond the N points."""
    distance = points.new_full((capacity,), -torch.inf)
    distance[: len(points)] = torch.inf
    if skip_near_origin:
        distance[: len(points)][squared_norms(points) <= NEAR_ORIGIN] = -torch.inf
    return distance


def pick_on_device(points: torch.Tensor, distance: torch.Tensor, picks: torch.Tensor) -> None:
    """Fill `picks` (count,) int64 after its first, lowering `distance` (N,); points (3, N). Nothing waits for
    the host. Squares are added in the host's order."""
    for step in range(1, len(picks)):
        offset = points - points.index_select(1, picks[step - 1 : step])
        offset *= offset
        squared = offset[0] + offset[1]
        squared += offset[2]
        torch.minimum(distance, squared, out=distance)
        torch.argmax(distance, dim=0, keepdim=True, out=picks[step : step + 1])
