"""Farthest point sampling on a CUDA device, recorded once and replayed (paper sec. 3.2)."""

from __future__ import annotations

from collections.abc import Collection

import torch

from models.points.groups import NEAR_ORIGIN, squared_norms

CAPACITY = 1 << 14
"""Points of a recording, or a multiple of them. A step costs more with more points, a new recording once."""
USUAL = 4 * CAPACITY
"""Points of the largest recording that is made at the first cloud: all of a 224 x 224 grid fit."""


class RecordedSampling:
    """`point_groups.farthest_points` on a CUDA device, the same picks: all its steps are one CUDA graph.

    A thousand steps, each waiting for the one before, cost more to launch one by one than the host needs for
    all of them. The steps are recorded at the first cloud, which is a warm-up's, for clouds of every usual
    size (about 0.2 s each) and replayed for every other. Not thread-safe: one for each owner of the
    device."""

    def __init__(self, count: int, device: torch.device, *, skip_near_origin: bool = False) -> None:
        self._count = count
        self._device = device
        self._skip_near_origin = skip_near_origin
        self._recordings: dict[int, _Recording] = {}

    @torch.inference_mode()
    def __call__(self, points: torch.Tensor) -> torch.Tensor:
        """points: (N, 3) float32 metres on the device, N > 0. Returns (min(count, N),) int64 there."""
        with torch.cuda.device(self._device):
            capacity = -(-len(points) // CAPACITY) * CAPACITY
            for size in to_record(capacity, self._recordings):
                self._recordings[size] = _Recording(self._count, size, self._device)
            recording = self._recordings[capacity]
            distance = first_distances(points, recording.capacity, self._skip_near_origin)
            return recording.replay(points, distance)[: len(points)].clone()


def to_record(capacity: int, recorded: Collection[int]) -> list[int]:
    """The capacities to record now: all usual ones at the first cloud, so that no later part waits for a
    recording; beyond them the cloud's own."""
    first = range(CAPACITY, USUAL + 1, CAPACITY) if not recorded else ()
    return sorted({*first, capacity} - set(recorded))


class _Recording:
    """The steps for clouds of up to `capacity` points, and the tensors that they read and write."""

    def __init__(self, count: int, capacity: int, device: torch.device) -> None:
        """Runs once, as kernels must be loaded before they can be recorded, then records."""
        self.capacity = capacity
        self._points = torch.zeros(3, capacity, device=device)
        self._distance = torch.zeros(capacity, device=device)
        self._picks = torch.zeros(count, dtype=torch.int64, device=device)
        pick_on_device(self._points, self._distance, self._picks[:2])
        self._graph = torch.cuda.CUDAGraph()
        # "thread_local": meanwhile another thread may load banks to the device
        with torch.cuda.graph(self._graph, capture_error_mode="thread_local"):
            pick_on_device(self._points, self._distance, self._picks)

    def replay(self, points: torch.Tensor, distance: torch.Tensor) -> torch.Tensor:
        """points: (N, 3). distance: (capacity,), as `first_distances` gives it. Returns the picks
        (count,), which the next replay overwrites."""
        self._points[:, : len(points)] = points.T
        self._distance.copy_(distance)
        self._graph.replay()
        return self._picks


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
