"""Farthest point sampling on a CUDA device as a CUDA graph, recorded once and replayed (paper sec. 3.2)."""

from __future__ import annotations

from collections.abc import Collection

import torch

from models.points.groups import NEAR_ORIGIN, squared_norms

CAPACITY = 1 << 14
"""Graphs are recorded for multiples of this many points. A larger graph is slower; a cloud above the recorded
size forces a new recording (0.2 s)."""
USUAL = 4 * CAPACITY
"""Points of the largest graph that is recorded at the first cloud. All points of a 224 x 224 grid fit."""


class RecordedSampling:
    """`point_groups.farthest_points` on a CUDA device, with the same result. All steps are one CUDA graph.

    The thousand steps depend on each other. Launching them one by one takes longer than the whole sampling on
    the host. The graphs are recorded at the first cloud, which is the warm-up's, for every usual size (about
    0.2 s each), and replayed for later clouds. Not thread-safe: each owner thread of the device needs its own
    object.
    """

    def __init__(self, count: int, device: torch.device, *, skip_near_origin: bool = False) -> None:
        self._count = count
        self._device = device
        self._skip_near_origin = skip_near_origin
        self._recordings: dict[int, _Recording] = {}

    @torch.inference_mode()
    def __call__(self, points: torch.Tensor) -> torch.Tensor:
        """points: (N, 3) float32 metres on the device, N > 0. Returns (min(count, N),) int64 on the
        device."""
        with torch.cuda.device(self._device):
            capacity = -(-len(points) // CAPACITY) * CAPACITY
            for size in to_record(capacity, self._recordings):
                self._recordings[size] = _Recording(self._count, size, self._device)
            recording = self._recordings[capacity]
            distance = first_distances(points, recording.capacity, self._skip_near_origin)
            return recording.replay(points, distance)[: len(points)].clone()


def to_record(capacity: int, recorded: Collection[int]) -> list[int]:
    """The capacities to record now: all usual capacities at the first cloud, so that no later part waits for
    a recording, and the cloud's own capacity if it is larger."""
    first = range(CAPACITY, USUAL + 1, CAPACITY) if not recorded else ()
    return sorted({*first, capacity} - set(recorded))


class _Recording:
    """The recorded steps for clouds of up to `capacity` points, and the tensors that the steps use."""

    def __init__(self, count: int, capacity: int, device: torch.device) -> None:
        """Run the steps once, because kernels must be loaded before a recording; then record the steps."""
        self.capacity = capacity
        self._points = torch.zeros(3, capacity, device=device)
        self._distance = torch.zeros(capacity, device=device)
        self._picks = torch.zeros(count, dtype=torch.int64, device=device)
        pick_on_device(self._points, self._distance, self._picks[:2])
        self._graph = torch.cuda.CUDAGraph()
        # "thread_local", because another thread may load banks to the device during the recording.
        with torch.cuda.graph(self._graph, capture_error_mode="thread_local"):
            pick_on_device(self._points, self._distance, self._picks)

    def replay(self, points: torch.Tensor, distance: torch.Tensor) -> torch.Tensor:
        """Run the recorded steps.

        points: (N, 3). distance: (capacity,), from `first_distances`. Returns the selected indices (count,),
        which the next replay overwrites.
        """
        self._points[:, : len(points)] = points.T
        self._distance.copy_(distance)
        self._graph.replay()
        return self._picks


def first_distances(points: torch.Tensor, capacity: int, skip_near_origin: bool) -> torch.Tensor:
    """(capacity,) float32: infinity for a candidate, -infinity for other points and beyond the N points."""
    distance = points.new_full((capacity,), -torch.inf)
    distance[: len(points)] = torch.inf
    if skip_near_origin:
        distance[: len(points)][squared_norms(points) <= NEAR_ORIGIN] = -torch.inf
    return distance


def pick_on_device(points: torch.Tensor, distance: torch.Tensor, picks: torch.Tensor) -> None:
    """Fill `picks` (count,) int64 from its second element on, and update `distance` (N,).

    points: (3, N). No step waits for the host. Squares are added in the same order as on the host.
    """
    for step in range(1, len(picks)):
        offset = points - points.index_select(1, picks[step - 1 : step])
        offset *= offset
        squared = offset[0] + offset[1]
        squared += offset[2]
        torch.minimum(distance, squared, out=distance)
        torch.argmax(distance, dim=0, keepdim=True, out=picks[step : step + 1])
