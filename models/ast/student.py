"""The student of AST (WACV 2023): a plain convolutional network that learns what its teacher makes of good
parts.

Student and teacher are asymmetric. A student that were a flow, too, would agree with its teacher also where a
part is not as good parts are.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from models.ast.flow import POSITIONS, positions

BLOCKS = 4


class Student(nn.Module):
    """A network from cells to the numbers of a flow.

    channels: of a cell. side: cells along an edge. width: channels inside.
    """

    position: torch.Tensor

    def __init__(self, channels: int, side: int, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels + POSITIONS, width, 3, padding=1)
        self.blocks = nn.ModuleList(
            nn.Sequential(*_convolved(width), *_convolved(width)) for _ in range(BLOCKS)
        )
        self.last = nn.Conv2d(width, channels, 3, padding=1)
        self.register_buffer("position", positions(side), persistent=False)

    def forward(self, cells: torch.Tensor) -> torch.Tensor:
        """(N, channels, side, side) float32 to the same shape."""
        seen = torch.cat([cells, self.position.expand(len(cells), -1, -1, -1)], dim=1)
        inner = functional.leaky_relu(self.first(seen))
        for block in self.blocks:
            inner = inner + block(inner)
        return self.last(inner)


def _convolved(width: int) -> tuple[nn.Module, ...]:
    return nn.Conv2d(width, width, 3, padding=1), nn.BatchNorm2d(width), nn.LeakyReLU()


def differences(teacher: torch.Tensor, student: torch.Tensor, part: torch.Tensor) -> torch.Tensor:
    """How far the student is from its teacher at each cell, (N, side, side) float32.

    teacher, student: (N, C, side, side). part: (N, side, side), how much of a cell is the part. As in the
    authors' code, it counts twice.
    """
    return part.square() * (teacher - student).square().mean(dim=1)


def highest(found: torch.Tensor, size: int) -> float:
    """The highest value of one map (1, side, side) that is spread over size x size pixels, bicubic."""
    spread = functional.interpolate(found[:, None], (size, size), mode="bicubic", align_corners=False)
    return spread.amax().item()
