"""Maps of an image network at several strides: a teacher has them, a student learns them (STFPM).

BMVC 2021. The teacher is frozen. The student is the same network with weights drawn at random.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from models.rgb.backbones import counting, rgb_backbone, timm
from models.unfilled import unfilled


class Pyramid(nn.Module):
    """An image network up to the deepest of some of its maps.

    backbone: a registered name or "timm:<model>" of a network with maps. stages: of the maps, timm's indices.
    """

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, backbone: str, stages: Sequence[int]) -> None:
        super().__init__()
        described = rgb_backbone(backbone).of_stages(stages)
        network: Any = timm.create_model(described.model, pretrained=False)
        self._counting = counting(described)
        network.prune_intermediate_layers(list(stages), prune_norm=False, prune_head=True, **self._counting)
        self._network = network
        self._stages = list(stages)
        for name, values in zip(("mean", "std"), described.constants, strict=True):
            self.register_buffer(name, torch.tensor(values, device="cpu").view(1, 3, 1, 1), persistent=False)

    def forward(self, image: torch.Tensor) -> list[torch.Tensor]:
        """Maps (N, C, h, w), every place of which is a unit vector. image: (N, 3, H, W) float32 in 0..1."""
        maps = self._network.forward_intermediates(
            (image - self.mean) / self.std,
            indices=self._stages,
            intermediates_only=True,
            stop_early=True,
            **self._counting,
        )
        return [functional.normalize(one, dim=1) for one in maps]


def teacher_of(
    backbone: str, stages: Sequence[int], weights: Mapping[str, torch.Tensor], device: torch.device | str
) -> Pyramid:
    """The frozen network with the weights of its training. weights: of the whole network."""
    with unfilled():
        teacher = Pyramid(backbone, stages)
    known = teacher.state_dict()
    kept = {f"{_INSIDE}{name}": tensor for name, tensor in weights.items()}
    teacher.load_state_dict({name: kept[name] for name in known}, strict=True, assign=True)
    return teacher.to(device).eval().requires_grad_(False)


def student_of(backbone: str, stages: Sequence[int], seed: int, device: torch.device | str) -> Pyramid:
    """The network with weights drawn by a seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        student = Pyramid(backbone, stages)
    return student.to(device)


_INSIDE = "_network."


def differences(teacher: Sequence[torch.Tensor], student: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    """Squared distance at each place of each map, (N, h, w) float32 in 0..4."""
    return [(ours - theirs).square().sum(dim=1) for ours, theirs in zip(teacher, student, strict=True)]


def joined(maps: Sequence[torch.Tensor]) -> torch.Tensor:
    """(N, h, w) the product of the maps on the grid of the first, the finest: bilinear between centres."""
    side = maps[0].shape[-2:]
    product = torch.ones_like(maps[0])
    for one in maps:
        product = product * spread(one, side)
    return product


def spread(maps: torch.Tensor, size: Sequence[int]) -> torch.Tensor:
    """(N, h, w) to (N, *size), bilinear between centres."""
    resized = functional.interpolate(maps[:, None], size=tuple(size), mode="bilinear", align_corners=False)
    return resized[:, 0]
