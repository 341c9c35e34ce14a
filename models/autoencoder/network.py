"""The autoencoder of the Eyecandies repository (eyecan-ai/eyecandies), written from its description.

The paper's own network was not published: the repository says that this one is not it.
"""

from __future__ import annotations

import torch
from torch import nn

from recipes.trained import NETWORK_STEP

WIDTHS = (32, 64, 128, 256)
"""Channels behind each halving of the picture: NETWORK_STEP is 2 to the power of their number."""
CODE = 256
"""Numbers that a picture is squeezed into."""


class Autoencoder(nn.Module):
    """A picture is squeezed into CODE numbers and made again from them.

    channels: of the picture. side: of the picture, pixels, a multiple of NETWORK_STEP.
    """

    def __init__(self, channels: int, side: int) -> None:
        super().__init__()
        self.channels, self.side = channels, side
        self._cells = side // NETWORK_STEP
        flat = WIDTHS[-1] * self._cells**2
        ins = (channels, *WIDTHS[:-1])
        self.encoder = nn.Sequential(*(_down(i, o) for i, o in zip(ins, WIDTHS, strict=True)))
        self.squeeze = nn.Linear(flat, CODE)
        self.spread = nn.Linear(CODE, flat)
        self.decoder = nn.Sequential(*(_up(i, o) for i, o in zip(WIDTHS[::-1], ins[::-1], strict=True)))

    def forward(self, picture: torch.Tensor) -> torch.Tensor:
        """(N, channels, side, side) float32 to the same shape: at least -0.17, because the last step is a
        GELU."""
        code = self.squeeze(self.encoder(picture).flatten(1))
        cells = self.spread(code).unflatten(1, (WIDTHS[-1], self._cells, self._cells))
        return self.decoder(cells)


def _down(ins: int, outs: int) -> nn.Module:
    return nn.Sequential(*_convolved(ins, outs), *_convolved(outs, outs, stride=2))


def _up(ins: int, outs: int) -> nn.Module:
    return nn.Sequential(nn.Upsample(scale_factor=2), *_convolved(ins, ins), *_convolved(ins, outs))


def _convolved(ins: int, outs: int, stride: int = 1) -> tuple[nn.Module, ...]:
    return nn.Conv2d(ins, outs, 3, stride=stride, padding=1), nn.BatchNorm2d(outs), nn.GELU()
