"""The network of unsupervised feature fusion (UFF, paper sec. 3.3)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn
from torch.nn import functional

from models.libraries import import_timm

import_timm()
from timm.layers.mlp import Mlp  # noqa: E402

EMBEDDING = 256
"""Channels in which the contrastive loss compares both kinds of patch."""
HEADS = ("rgb_head.", "xyz_head.")
"""Tensors that only training needs."""


class FusionNetwork(nn.Module):
    """Two separate multi-layer perceptrons and, for training, a projection behind each.

    rgb_channels, point_channels: widths of the patches (paper: 768 and 1152). Module names give the official
    state-dict keys ("xyz" for points). No dropout, no skip connection.
    """

    def __init__(self, rgb_channels: int, point_channels: int) -> None:
        super().__init__()
        self.xyz_norm = nn.LayerNorm(point_channels)
        self.xyz_mlp = Mlp(point_channels, 4 * point_channels)
        self.rgb_norm = nn.LayerNorm(rgb_channels)
        self.rgb_mlp = Mlp(rgb_channels, 4 * rgb_channels)
        self.rgb_head = nn.Linear(rgb_channels, EMBEDDING)
        self.xyz_head = nn.Linear(point_channels, EMBEDDING)

    @classmethod
    def sized(cls, state: Mapping[str, torch.Tensor]) -> FusionNetwork:
        """The network as wide as a state dict (official keys), or as the paper's where that does not say."""
        rgb, point = state.get("rgb_norm.weight"), state.get("xyz_norm.weight")
        return cls(768 if rgb is None else len(rgb), 1152 if point is None else len(point))

    def forward(self, rgb: torch.Tensor, point: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Branch outputs: (M, rgb_channels) and (N, point_channels), each back in its own shape."""
        return self.rgb_mlp(self.rgb_norm(rgb)), self.xyz_mlp(self.xyz_norm(point))

    def embed(self, rgb: torch.Tensor, point: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Unit vectors to compare: (M, 256) from RGB and (N, 256) from points."""
        rgb, point = self(rgb, point)
        return functional.normalize(self.rgb_head(rgb), dim=-1), functional.normalize(
            self.xyz_head(point), dim=-1
        )
