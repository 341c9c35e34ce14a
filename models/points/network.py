"""The encoders of the point transformers Point-MAE (Pang 2022) and Point-BERT (Yu 2022).

The transformer blocks are timm's. Module names give the official state-dict keys. The networks are frozen:
BatchNorm uses computed or stored statistics, and stochastic depth is off.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from models.libraries import import_timm
from recipes.points import BatchNormMode, PointKind

import_timm()
from timm.models.vision_transformer import Block  # noqa: E402

WIDTH = 384
DEPTH = 12
HEADS = 6
TAPPED = (3, 7, 11)
"""Blocks (counted from 0) whose tokens are used, each after the same final LayerNorm."""
POINT_CHANNELS = WIDTH * len(TAPPED)
CHUNK = 32
"""Groups that are encoded at a time on the CPU, so that activations stay in its cache."""


class PointTransformer(nn.Module):
    """From point groups to group vectors.

    kind: "pointbert" encodes groups in 256 channels, widens them and prepends a class token.
    batch_norm: "sample" normalises with the statistics of the current cloud, as the published code does
        because it stays in training mode; "running" normalises with the stored statistics.
    """

    def __init__(self, kind: PointKind, batch_norm: BatchNormMode) -> None:
        super().__init__()
        self.encoder = GroupEncoder(WIDTH if kind == "pointmae" else 256, batch_norm)
        if kind == "pointbert":
            self.reduce_dim = nn.Linear(256, WIDTH)
            self.cls_token = nn.Parameter(torch.zeros(1, 1, WIDTH))
            self.cls_pos = nn.Parameter(torch.zeros(1, 1, WIDTH))
        self.pos_embed = nn.Sequential(nn.Linear(3, 128), nn.GELU(), nn.Linear(128, WIDTH))
        self.blocks = Blocks()
        self.norm = nn.LayerNorm(WIDTH)
        self._has_class_token = kind == "pointbert"

    def forward(self, offsets: torch.Tensor, centres: torch.Tensor) -> torch.Tensor:
        """offsets: (G, K, 3) float32, neighbours minus their centre. centres: (G, 3) float32.

        Returns (G, 1152) float32.
        """
        tokens, position = self.encoder(offsets)[None], self.pos_embed(centres)[None]
        if self._has_class_token:
            tokens = torch.cat([self.cls_token, self.reduce_dim(tokens)], 1)
            position = torch.cat([self.cls_pos, position], 1)
        taps = self.blocks(tokens, position)
        vectors = torch.cat([self.norm(tap) for tap in taps], -1)[0]
        return vectors[1:] if self._has_class_token else vectors


class GroupEncoder(nn.Module):
    """Mini-PointNet: one vector per group, from the offsets of its points.

    `forward` rearranges the published arithmetic exactly. The half of the 512 x 512 layer that gets the
    group's maximum runs once per group. The other half and the layer before it are both linear, so they are
    one matrix. The statistics of linear maps come from second moments of their input.
    """

    def __init__(self, width: int, batch_norm: BatchNormMode) -> None:
        super().__init__()
        self.first_conv = nn.Sequential(
            nn.Conv1d(3, 128, 1), nn.BatchNorm1d(128), nn.ReLU(), nn.Conv1d(128, 256, 1)
        )
        self.second_conv = nn.Sequential(
            nn.Conv1d(512, 512, 1), nn.BatchNorm1d(512), nn.ReLU(), nn.Conv1d(512, width, 1)
        )
        self.batch_norm: BatchNormMode = batch_norm

    def forward(self, offsets: torch.Tensor) -> torch.Tensor:
        """offsets: (G, K, 3) float32 -> (G, width) float32."""
        lift, lift_bias = _linear(self.first_conv[0])
        spread, spread_bias = _linear(self.first_conv[3])
        mix, mix_bias = _linear(self.second_conv[0])
        from_maximum, from_point = mix[:, : len(spread)], mix[:, len(spread) :]
        from_hidden = (from_point.double() @ spread.double()).float()
        chunk = CHUNK if offsets.device.type == "cpu" else len(offsets)

        lift, lift_bias = self._fold_first(lift, lift_bias, offsets)
        maxima, moments = [], _Moments(len(lift), offsets.device)
        for part in offsets.split(chunk):
            hidden = functional.linear(part, lift, lift_bias).relu_()
            maxima.append(functional.linear(hidden, spread).amax(1))
            if self.batch_norm == "sample":
                moments.add(hidden)
        constant = mix_bias + from_point @ spread_bias
        shared = functional.linear(torch.cat(maxima) + spread_bias, from_maximum, constant)
        mean, variance = self._second_statistics(moments, from_hidden, shared)
        scale, shift = _fold(self.second_conv[1], mean, variance)
        from_hidden = (from_hidden.double() * scale[:, None]).float()
        shared = (shared.double() * scale + shift).float()

        project, project_bias = _linear(self.second_conv[3])
        vectors = []
        for part, common in zip(offsets.split(chunk), shared.split(chunk), strict=True):
            hidden = functional.linear(part, lift, lift_bias).relu_()
            mixed = functional.linear(hidden, from_hidden).add_(common[:, None]).relu_()
            vectors.append(functional.linear(mixed, project).amax(1))
        return torch.cat(vectors) + project_bias

    def _fold_first(
        self, weight: torch.Tensor, bias: torch.Tensor, offsets: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The first layer with its BatchNorm folded in: weight (128, 3), bias (128,)."""
        exact = weight.double()
        if self.batch_norm == "sample":
            points = offsets.reshape(-1, 3).double()
            centre = points.mean(0)
            covariance = (points - centre).T @ (points - centre) / len(points)
            mean = exact @ centre + bias
            variance = ((exact @ covariance) * exact).sum(1)
        else:
            mean, variance = _running(self.first_conv[1])
        scale, shift = _fold(self.first_conv[1], mean, variance)
        return (exact * scale[:, None]).float(), (bias * scale + shift).float()

    def _second_statistics(
        self, moments: _Moments, weight: torch.Tensor, shared: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and variance, (512,) float64, of `weight @ hidden + shared` over all points of all groups."""
        if self.batch_norm == "running":
            return _running(self.second_conv[1])
        exact, group = weight.double(), shared.double()
        centre, covariance, group_means = moments.summary()
        mean = exact @ centre + group.mean(0)
        deviation = group - group.mean(0)
        cross = (group_means - centre) @ exact.T * deviation
        own = ((exact @ covariance) * exact).sum(1)
        return mean, own + 2 * cross.mean(0) + deviation.square().mean(0)


class _Moments:
    """Sums over points, chunk by chunk: products in float32, sums in float64."""

    def __init__(self, channels: int, device: torch.device) -> None:
        self._products = torch.zeros(channels, channels, dtype=torch.float64, device=device)
        self._means: list[torch.Tensor] = []
        self._points = 0

    def add(self, hidden: torch.Tensor) -> None:
        """hidden: (g, K, channels) float32, whole groups."""
        flat = hidden.flatten(0, 1)
        columns = flat.T.contiguous()
        self._products += functional.linear(columns, columns)
        self._means.append(hidden.mean(1))
        self._points += len(flat)

    def summary(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Mean (c,), covariance (c, c) and each group's mean (G, c), float64."""
        means = torch.cat(self._means).double()
        centre = means.mean(0)
        return centre, self._products / self._points - centre.outer(centre), means


class Blocks(nn.Module):
    """Twelve pre-norm transformer blocks. The position is added before every block."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            Block(WIDTH, HEADS, qkv_bias=False, norm_layer=nn.LayerNorm) for _ in range(DEPTH)
        )

    def forward(self, tokens: torch.Tensor, position: torch.Tensor) -> list[torch.Tensor]:
        """tokens, position: (1, T, 384). Returns the tokens after blocks 3, 7 and 11."""
        taps = []
        for depth, block in enumerate(self.blocks):
            tokens = block(tokens + position)
            if depth in TAPPED:
                taps.append(tokens)
        return taps


def _linear(layer: nn.Module) -> tuple[torch.Tensor, torch.Tensor]:
    """Weight (out, in) and bias (out,) of a convolution over single points."""
    if not isinstance(layer, nn.Conv1d) or layer.bias is None:
        raise TypeError(f"expected a Conv1d with bias, got {layer}")
    return layer.weight[:, :, 0], layer.bias


def _running(norm: nn.Module) -> tuple[torch.Tensor, torch.Tensor]:
    """Stored mean and variance, float64."""
    if not isinstance(norm, nn.BatchNorm1d) or norm.running_mean is None or norm.running_var is None:
        raise TypeError(f"expected a BatchNorm1d with running statistics, got {norm}")
    return norm.running_mean.double(), norm.running_var.double()


def _fold(norm: nn.Module, mean: torch.Tensor, variance: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Batch normalisation as scale and shift, float64."""
    if not isinstance(norm, nn.BatchNorm1d):
        raise TypeError(f"expected a BatchNorm1d, got {norm}")
    scale = norm.weight.double() * (variance + norm.eps).rsqrt()
    return scale, norm.bias - mean * scale
