"""Point features: a frozen point transformer turns a prepared part's cloud into patches (paper sec. 3.2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from models.features import Patches
from models.layout import GridLayout, GroupLayout
from models.numerics.linear import FastLinear
from models.points import alignment
from models.points import groups as point_groups
from models.points.network import PointTransformer
from models.points.recorded_sampling import RecordedSampling
from models.preparation.prepare import PreparedPart
from models.sample import BadSample
from models.strict_loading import load_strictly
from models.unfilled import unfilled
from recipes.points import PointNetwork


@dataclass(frozen=True, slots=True)
class PointTrace:
    """Every stage of one part, on the extractor's device, for N valid points and G groups of K points.

    Attributes:
        valid_index: (N,) int64, row-major pixel of each point.
        fps_index: (G,) int64, centres by index into the valid points.
        knn_index: (G, K) int64, neighbours by index into the valid points.
        group_features: (G, 1152) float32.
        interpolated: (N, 1152) float32; None if the groups are the patches.
        patches: what `PointExtractor` makes of the part.
    """

    valid_index: torch.Tensor
    fps_index: torch.Tensor
    knn_index: torch.Tensor
    group_features: torch.Tensor
    interpolated: torch.Tensor | None
    patches: Patches


@dataclass(frozen=True, slots=True)
class _Grouped:
    """A cloud in groups. points: (N, 3) float32 metres. The other fields are those of PointTrace."""

    points: torch.Tensor
    valid_index: torch.Tensor
    fps_index: torch.Tensor
    knn_index: torch.Tensor


class PointExtractor:
    """A frozen point transformer and its settings. Deterministic; a part does not influence another part."""

    def __init__(self, settings: PointNetwork, network: PointTransformer, device: torch.device) -> None:
        self.settings = settings
        self.device = device
        self._network = network.to(device).eval().requires_grad_(False)
        self._sample = _sampling(settings, device)

    @classmethod
    def load(
        cls, settings: PointNetwork, weights: Mapping[str, torch.Tensor], device: torch.device | str = "cpu"
    ) -> PointExtractor:
        """Load the network. Raises ValueError with the names of missing, unexpected or wrongly shaped
        tensors.

        Args:
            settings: of the network and its groups.
            weights: tensors by official name without prefixes, from `WeightStore.load(settings.kind)`.
            device: where the network runs.
        """
        with unfilled():
            network = PointTransformer(settings.kind, settings.batch_norm)
        load_strictly(network, weights, f"the {settings.kind} network")
        return cls(settings, network, torch.device(device))

    def __call__(self, parts: Sequence[PreparedPart]) -> list[Patches]:
        """(side * side, 1152) rows per part, or one row per group if the groups are the patches.

        A part with fewer points than groups has as many groups as points. Parts run one at a time, because a
        matrix product over several parts may round differently. Raises BadSample no_points for a part without
        points.
        """
        return [self._extract(part) for part in parts]

    @torch.inference_mode()
    def trace(self, part: PreparedPart) -> PointTrace:
        """Compute every stage of one part, including the (N, 1152) features that `__call__` never builds."""
        groups = self._group(part)
        tokens = self._tokens(groups)
        interpolated = None
        if self.settings.side is not None:
            interpolated = alignment.interpolate(tokens, *self._interpolation(groups))
        patches = self._patches(groups, tokens, part.valid.shape[0])
        return PointTrace(
            groups.valid_index, groups.fps_index, groups.knn_index, tokens, interpolated, patches
        )

    @torch.inference_mode()
    def _extract(self, part: PreparedPart) -> Patches:
        groups = self._group(part)
        return self._patches(groups, self._tokens(groups), part.valid.shape[0])

    def _patches(self, groups: _Grouped, tokens: torch.Tensor, size: int) -> Patches:
        """tokens: (G, 1152) float32. size: side of the prepared part in pixels."""
        side = self.settings.side
        if side is None:
            centres = groups.valid_index[groups.fps_index].cpu().numpy()
            return Patches(tokens, GroupLayout(centres, size))
        index, weight = self._interpolation(groups)
        rows = alignment.align_groups(tokens, index, weight, groups.valid_index, size=size, side=side)
        return Patches(rows, GridLayout(side))

    def _group(self, part: PreparedPart) -> _Grouped:
        if not part.valid.any():
            raise BadSample(
                "no_points", "The part has no valid 3D point. Check the scan and the background removal."
            )
        xyz = np.ascontiguousarray(part.xyz[part.valid], np.float32)
        points = torch.from_numpy(xyz).to(self.device)
        valid_index = torch.from_numpy(np.flatnonzero(part.valid)).to(self.device)
        fps_index = self._sample(points)
        knn_index = point_groups.nearest_neighbours(points, points[fps_index], self.settings.group_size)
        return _Grouped(points, valid_index, fps_index, knn_index)

    def _interpolation(self, groups: _Grouped) -> tuple[torch.Tensor, torch.Tensor]:
        """Index and weight, each (N, 3)."""
        centres = groups.points[groups.fps_index]
        expanded = self.settings.distances == "expanded"
        return alignment.interpolation(groups.points, centres, expanded=expanded)

    def _tokens(self, groups: _Grouped) -> torch.Tensor:
        """(G, 1152) float32."""
        points = groups.points if self.settings.scaling == "raw" else _unit_sphere(groups.points)
        centres = points[groups.fps_index]
        with FastLinear():
            return self._network(points[groups.knn_index] - centres[:, None], centres)


def _sampling(settings: PointNetwork, device: torch.device) -> Callable[[torch.Tensor], torch.Tensor]:
    """The function from points (N, 3) to the indices of the group centres, both on the device."""
    skip = settings.skip_near_origin
    if device.type == "cuda":
        return RecordedSampling(settings.groups, device, skip_near_origin=skip)
    return partial(point_groups.farthest_points, count=settings.groups, skip_near_origin=skip)


def _unit_sphere(points: torch.Tensor) -> torch.Tensor:
    """Scale points (N, 3) as in pre-training: subtract the centroid, then divide by the largest norm."""
    centred = points - points.mean(0)
    return centred / centred.norm(dim=1).max().clamp_min(torch.finfo(torch.float32).tiny)
