"""What extraction makes of a part: patch vectors for each bank, and where the patches lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from models.layout import GridLayout, Layout

Rows: TypeAlias = NDArray[np.float32] | torch.Tensor
"""(n, C) float32 patch vectors, on any device."""


@dataclass(frozen=True, slots=True)
class Patches:
    """Patch vectors of one part for one bank.

    rows: (n, C) float32 on the extractor's device.
    layout: n places on the image plane, in the same order.
    """

    rows: torch.Tensor
    layout: Layout

    @classmethod
    def on_grid(cls, at: NDArray[np.bool_], found: NDArray[np.floating], device: torch.device) -> Patches:
        """A grid of patches of which some have a row.

        at: (side, side), the patches with a row. found: (patches, C), their rows. The others have rows of 0.
        """
        rows = np.zeros((at.size, found.shape[1]), np.float32)
        rows[at.ravel()] = found
        return cls(torch.from_numpy(rows).to(device), GridLayout(len(at)))

    def within(self, mask: NDArray[np.bool_]) -> Patches:
        """The same patches, with rows of 0 for patches that touch no True pixel of a (size, size) mask."""
        touches = torch.from_numpy(self.layout.touches(mask)).to(self.rows.device)
        return Patches(torch.where(touches[:, None], self.rows, 0), self.layout)


PartFeatures: TypeAlias = Mapping[str, Patches]
"""Patches of one part by bank name."""
