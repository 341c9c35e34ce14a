"""M3DM in the steps of its authors' code: the other side of `tribank bench --versus published`.

The networks, bank rows and weights of the decision are those of a version, so the scores are the same up to
rounding. The way to them is the published one: the point network encodes every point of every group, all
distances of points to group centres are sorted, 1152 channels are spread over 224 x 224 pixels and pooled
twice, the fusion network sees every patch, every bank's distances are one full matrix, maps are blurred as
8-bit pictures. Preparation is not part of it: the authors prepare their files beforehand.

Two steps need a GPU in the authors' code, sampling and grouping. Here they are plain torch and do the same:
each new centre is compared with all points, and each centre's distances to all points are ranked.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from banks.decision import rules
from banks.decision.score_map import score_map
from banks.decision.weighted_sum import WeightedSum
from banks.detector import Detector
from banks.methods.memory_bank.column import MemoryBankColumn
from models.fusion.concat import Concat
from models.fusion.network import FusionNetwork
from models.fusion.uff import Uff
from models.layout import GridLayout
from models.points.groups import NEAR_ORIGIN
from models.points.network import TAPPED, GroupEncoder, PointTransformer
from models.preparation.prepare import PreparedPart
from models.rgb.backbones import rgb_backbone, timm
from models.unfilled import unfilled
from models.weights.store import WeightStore
from recipes.backbones import IMAGENET
from recipes.points import PointNetwork
from recipes.rgb import RgbChoice


class NotPublished(ValueError):
    """The version is no setting of M3DM's code."""


@dataclass(frozen=True, slots=True)
class PublishedScore:
    """One part.

    scores: image score of each bank.
    score: the decision's.
    map: (size, size) float32, the decision's.
    timings_ms: milliseconds of each stage, by the names that `banks.detector.PartResult` has.
    """

    scores: Mapping[str, float]
    score: float
    map: NDArray[np.float32]
    timings_ms: Mapping[str, float]


class Published:
    """The published computation with the networks, rows and decision of one version, on the CPU."""

    def __init__(self, detector: Detector, weights_dir: Path) -> None:
        """weights_dir: where the networks' weights lie; they are loaded a second time.

        Raises NotPublished for a version with parts that M3DM's code does not have.
        """
        extraction, weights = detector.manifest.profile.extraction, WeightStore(weights_dir)
        decision = rules.from_json(detector.manifest.decision)
        fusion = detector.pipeline.fusion
        others = extraction.normals, extraction.relief, extraction.colour, extraction.picture
        if any(others) or not isinstance(decision, WeightedSum):
            raise NotPublished("M3DM has RGB, point and fused banks and adds up their image scores")
        if detector.pipeline.roi is not None:
            raise NotPublished("M3DM's code knows no region of interest")
        self._size = detector.manifest.profile.preparation.size
        self._decision = decision
        self._banks = {name: _Bank.of(name, column) for name, column in detector.columns.columns.items()}
        self._image = None if extraction.rgb is None else _Image(extraction.rgb, weights)
        self._points = None if extraction.point is None else _Points(extraction.point, weights)
        self._fusion = None if fusion is None else _fusion(fusion)

    @torch.no_grad()
    def __call__(self, part: PreparedPart) -> PublishedScore:
        """Score one prepared part."""
        times = _Times()
        patches: dict[str, Tensor] = {}
        if self._image is not None:
            patches["rgb"] = self._image(part.rgb)
            times.stop("rgb")
        if self._points is not None:
            patches["point"] = self._points(part)
            times.stop("point")
        if self._fusion is not None:
            patches["fused"] = self._fusion(patches["rgb"], patches["point"])
            times.stop("fusion")
        found = {name: bank.score(_rows(patches[name])) for name, bank in self._banks.items()}
        maps = {name: _map(distances, self._size) for name, (distances, _) in found.items()}
        times.stop("search")
        scores = {name: score for name, (_, score) in found.items()}
        rule = self._decision
        image = np.array([scores[name] for name in rule.banks])
        pixels = np.stack([maps[name].ravel() for name in rule.banks], axis=1)
        score = float(image @ rule.image_weights)
        whole = (pixels @ np.asarray(rule.pixel_weights)).astype(np.float32)
        times.stop("decide")
        return PublishedScore(scores, score, whole.reshape(self._size, self._size), times.milliseconds)


class _Times:
    """Milliseconds between calls of `stop`."""

    def __init__(self) -> None:
        self.milliseconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def stop(self, stage: str) -> None:
        now = time.perf_counter()
        self.milliseconds[stage] = 1000 * (now - self._last)
        self._last = now


class _Image:
    """A vision transformer's patch tokens as a grid (1, C, 28, 28)."""

    def __init__(self, choice: RgbChoice, weights: WeightStore) -> None:
        backbone = rgb_backbone(choice.backbone)
        if backbone.kind != "tokens" or choice.colour:
            raise NotPublished("M3DM's images are seen by a vision transformer alone")
        with unfilled():
            self._network: Any = timm.create_model(backbone.model, pretrained=False).eval()
        self._network.load_state_dict(weights.load(choice.weights), assign=True)
        constants = backbone.constants if choice.constants == "own" else IMAGENET
        self._mean, self._std = (torch.tensor(of).view(1, 3, 1, 1) for of in constants)

    def __call__(self, rgb: NDArray[np.uint8]) -> Tensor:
        picture = torch.tensor(rgb).permute(2, 0, 1)[None].float() / 255
        features = self._network.forward_features((picture - self._mean) / self._std)
        tokens = features[:, self._network.num_prefix_tokens :]
        side = round(tokens.shape[1] ** 0.5)
        return tokens.transpose(1, 2).reshape(1, -1, side, side)


class _Points:
    """Patches (1, 1152, side, side) of a cloud by the point transformer."""

    def __init__(self, choice: object, weights: WeightStore) -> None:
        if not isinstance(choice, PointNetwork) or choice.side is None or choice.scaling != "raw":
            raise NotPublished(
                "M3DM's clouds are seen by a point transformer, in metres, as a grid of patches"
            )
        self._choice, self._side = choice, choice.side
        with unfilled():
            self._network = PointTransformer(choice.kind, choice.batch_norm)
        self._network.load_state_dict(weights.load(choice.kind), assign=True)
        self._network.train(
            choice.batch_norm == "sample"
        )  # its only layers that this changes are BatchNorm's

    def __call__(self, part: PreparedPart) -> Tensor:
        cloud = torch.from_numpy(np.ascontiguousarray(part.xyz[part.valid], np.float32))
        places = torch.from_numpy(np.flatnonzero(part.valid))
        centres = cloud[_farthest(cloud, self._choice.groups, skip=self._choice.skip_near_origin)]
        groups = _differences(centres, cloud).topk(self._choice.group_size, largest=False).indices
        tokens = self._tokens(cloud[groups] - centres[:, None], centres)
        features = _interpolated(tokens, cloud, centres)
        size = part.valid.shape[0]
        image = torch.zeros(features.shape[1], size * size)
        image[:, places] = features.T
        averaged = functional.avg_pool2d(image.view(1, -1, size, size), 3, stride=1)
        return functional.adaptive_avg_pool2d(averaged, (self._side, self._side))

    def _tokens(self, offsets: Tensor, centres: Tensor) -> Tensor:
        network = self._network
        tokens, position = _encoded(network.encoder, offsets)[None], network.pos_embed(centres)[None]
        if hasattr(network, "reduce_dim"):
            tokens = torch.cat([network.cls_token, network.reduce_dim(tokens)], 1)
            position = torch.cat([network.cls_pos, position], 1)
        taps = [network.norm(tap) for tap in network.blocks(tokens, position)]
        assert len(taps) == len(TAPPED)
        return torch.cat(taps, -1)[0, -len(centres) :]


def _encoded(encoder: GroupEncoder, offsets: Tensor) -> Tensor:
    """(G, K, 3) to (G, C): every layer on every point of every group."""
    points = encoder.first_conv(offsets.transpose(1, 2))
    whole = points.amax(2, keepdim=True).expand(-1, -1, points.shape[2])
    return encoder.second_conv(torch.cat([whole, points], 1)).amax(2)


def _farthest(cloud: Tensor, count: int, *, skip: bool) -> Tensor:
    """Indices of `count` points, each the farthest from those before."""
    nearest = torch.full((len(cloud),), 1e10)
    if skip:
        nearest[cloud.square().sum(1) <= NEAR_ORIGIN] = -1
    chosen = torch.zeros(min(count, len(cloud)), dtype=torch.int64)
    for step in range(1, len(chosen)):
        nearest = torch.minimum(nearest, (cloud - cloud[chosen[step - 1]]).square().sum(1))
        chosen[step] = nearest.argmax()
    return chosen


def _differences(left: Tensor, right: Tensor) -> Tensor:
    """(L, R) Euclidean distances, from differences."""
    return torch.cdist(left, right, compute_mode="donot_use_mm_for_euclid_dist")


def _interpolated(tokens: Tensor, cloud: Tensor, centres: Tensor) -> Tensor:
    """(N, C): each point by the three nearest of all centres, which are sorted for each point."""
    squared = -2 * cloud @ centres.T + cloud.square().sum(1)[:, None] + centres.square().sum(1)
    near, order = squared.sort(dim=1)
    weights = 1 / (near[:, :3] + 1e-8)
    weights = weights / weights.sum(1, keepdim=True)
    return (tokens[order[:, :3]] * weights[:, :, None]).sum(1)


def _fusion(fusion: object) -> _Uff | _Concat:
    if isinstance(fusion, Uff):
        return _Uff(fusion)
    if isinstance(fusion, Concat):
        return _Concat()
    raise NotPublished("M3DM fuses by UFF, or not at all")


class _Concat:
    """Point and RGB channels of each point patch, (1, C, side, side)."""

    def __call__(self, rgb: Tensor, point: Tensor) -> Tensor:
        return torch.cat([point, functional.adaptive_avg_pool2d(rgb, point.shape[2])], 1)


class _Uff:
    """Both branches of the fusion network on every point patch."""

    def __init__(self, fusion: Uff) -> None:
        state = fusion.state()
        self._network = FusionNetwork.sized(state)
        self._network.load_state_dict(state, strict=False)  # without the heads, which only train

    def __call__(self, rgb: Tensor, point: Tensor) -> Tensor:
        wide = functional.adaptive_avg_pool2d(rgb, point.shape[2])
        from_rgb, from_point = self._network(_rows(wide), _rows(point))
        return torch.cat([from_point, from_rgb], 1).T.reshape(1, -1, *point.shape[2:])


def _rows(grid: Tensor) -> Tensor:
    """(1, C, side, side) to (side * side, C)."""
    return grid[0].flatten(1).T.contiguous()


@dataclass(frozen=True)
class _Bank:
    column: MemoryBankColumn
    library: Tensor
    """(R, C) float32."""

    @classmethod
    def of(cls, name: str, column: object) -> _Bank:
        if not isinstance(column, MemoryBankColumn) or column.scales is not None:
            raise NotPublished(f"bank {name} is no memory bank with plain distances, as M3DM's are")
        return cls(column, torch.from_numpy(column.bank.rows))

    def score(self, patches: Tensor) -> tuple[NDArray[np.float32], float]:
        """Distance of each patch to its nearest row, and the re-weighted largest distance."""
        queries, settings = self.column.normaliser(patches), self.column.reweighting
        near, ids = torch.cdist(queries, self.library).min(dim=1)
        at = int(near.argmax())
        farthest, nearest = near[at], self.library[ids[at]]
        around = torch.cdist(nearest[None], self.library).topk(settings.neighbours, largest=False).indices
        reach = torch.linalg.vector_norm(queries[at] - self.library[around[0, 1:]], dim=1)
        unit = np.sqrt(self.library.shape[1])
        farthest, reach = farthest / settings.divisor, reach / settings.divisor
        crowd = torch.exp(reach / unit).sum() + settings.epsilon
        return near.numpy(), float((1 - torch.exp(farthest / unit) / crowd) * farthest)


def _map(distances: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """(size, size), blurred as a picture of 8 bits."""
    return score_map(distances, GridLayout(round(len(distances) ** 0.5)), size, "pil8")
