"""What a part becomes: one grid of patch vectors for each memory bank."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import torch

BANKS = ("rgb", "point", "fused")
"""The bank names, in the order in which decision weights and answers list them."""


@dataclass(frozen=True, slots=True)
class PatchGrid:
    """Patch vectors of one part for one bank.

    rows: (side * side, C) float32 on the extractor's device, row-major over the image plane.
    side: patches along one edge of the square image plane.
    """

    rows: torch.Tensor
    side: int


PartFeatures: TypeAlias = Mapping[str, PatchGrid]
"""Patch grids of one part by bank name."""
