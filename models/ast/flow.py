"""The teacher of AST (WACV 2023): a normalising flow of cells, which knows where each cell lies.

A flow is an invertible function. Trained on good parts, it turns their cells into numbers that are normally
distributed. Couplings by affine functions of the other half (RealNVP, ICLR 2017) change both halves, as in
Glow (NeurIPS 2018).
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import nn

KERNELS = (3, 3, 3, 5)
"""Sides of the convolutions of each coupling."""
POSITIONS = 32
"""Channels that say where a cell lies."""
_WIDTH = 64
_CLAMP = 1.9
_TO_ONE = 0.636  # about 2 / pi: the logarithm of a factor lies between -_CLAMP and _CLAMP


def positions(side: int) -> torch.Tensor:
    """Where each cell lies, (POSITIONS, side, side) float32 on the CPU.

    Sines and cosines of the column in the first half, of the row in the second, with wavelengths from 2 pi to
    1e4 times as much.
    """
    half = POSITIONS // 2
    rates = torch.exp(torch.arange(0, half, 2, device="cpu") * (-math.log(1e4) / half))
    angles = torch.arange(side, device="cpu")[None] * rates[:, None]
    along = torch.stack([angles.sin(), angles.cos()], dim=1).flatten(0, 1)
    return torch.cat([along[:, None].expand(-1, side, -1), along[:, :, None].expand(-1, -1, side)])


class Flow(nn.Module):
    """An invertible function of pictures of cells.

    channels: of a cell, at least 2. side: cells along an edge.
    """

    position: torch.Tensor

    def __init__(self, channels: int, side: int) -> None:
        super().__init__()
        self.channels, self.side = channels, side
        self.couplings = nn.ModuleList(_Coupling(channels, kernel) for kernel in KERNELS)
        self.register_buffer("position", positions(side), persistent=False)
        orders = [np.random.default_rng([number]).permutation(channels) for number in range(len(KERNELS))]
        self.register_buffer("orders", torch.from_numpy(np.stack(orders)))

    def forward(self, cells: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The numbers of (N, channels, side, side) cells, as many; and the logarithm of the volume that a
        volume of cells becomes, (N, side, side): its sum over the cells is that of the whole picture."""
        logarithm = torch.zeros_like(cells[:, 0])
        for coupling, order in zip(self.couplings, self._orders(), strict=True):
            cells, more = coupling(cells[:, order], self._position(cells))
            logarithm = logarithm + more
        return cells, logarithm

    def inverse(self, numbers: torch.Tensor) -> torch.Tensor:
        """The cells of numbers, (N, channels, side, side) each."""
        for coupling, order in zip(reversed(self.couplings), reversed(self._orders()), strict=True):
            assert isinstance(coupling, _Coupling)
            numbers = coupling.inverse(numbers, self._position(numbers))[:, order.argsort()]
        return numbers

    def _orders(self) -> list[torch.Tensor]:
        orders = self.orders
        assert isinstance(orders, torch.Tensor)
        return list(orders)

    def _position(self, cells: torch.Tensor) -> torch.Tensor:
        return self.position.expand(len(cells), -1, -1, -1)


class _Coupling(nn.Module):
    """Changes each half of the channels by a factor and a shift that follow the other half and the place."""

    def __init__(self, channels: int, kernel: int) -> None:
        super().__init__()
        self.sizes = (channels // 2, channels - channels // 2)
        first, second = self.sizes
        self.of_second = _Affine(second, first, kernel)
        self.of_first = _Affine(first, second, kernel)

    def forward(self, cells: torch.Tensor, position: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        first, second = cells.split(self.sizes, dim=1)
        logarithm, shift = self.of_second(second, position)
        first = logarithm.exp() * first + shift
        change = logarithm.sum(dim=1)
        logarithm, shift = self.of_first(first, position)
        second = logarithm.exp() * second + shift
        return torch.cat([first, second], dim=1), change + logarithm.sum(dim=1)

    def inverse(self, cells: torch.Tensor, position: torch.Tensor) -> torch.Tensor:
        first, second = cells.split(self.sizes, dim=1)
        logarithm, shift = self.of_first(first, position)
        second = (second - shift) * (-logarithm).exp()
        logarithm, shift = self.of_second(second, position)
        return torch.cat([(first - shift) * (-logarithm).exp(), second], dim=1)


class _Affine(nn.Module):
    """Logarithms of factors, and shifts, of `outs` channels. At first all are 0, so that a flow changes
    nothing."""

    def __init__(self, ins: int, outs: int, kernel: int) -> None:
        super().__init__()
        self.outs = outs
        same = {"kernel_size": kernel, "padding": kernel // 2, "padding_mode": "replicate"}
        self.inner = nn.Conv2d(ins + POSITIONS, _WIDTH, **same)
        self.outer = nn.Conv2d(_WIDTH, 2 * outs, **same)
        self.size = nn.Parameter(torch.zeros(1))

    def forward(self, seen: torch.Tensor, position: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        inner = self.inner(torch.cat([seen, position], dim=1)).relu()
        scale, shift = (self.size * self.outer(inner)).split(self.outs, dim=1)
        return _CLAMP * _TO_ONE * torch.atan(scale / _CLAMP), shift
