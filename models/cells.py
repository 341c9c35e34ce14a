"""A part as a coarse picture: each cell holds what an image network and the cloud say of its pixels.

A patch is a cell. Channels, of which the profile may want the first or the second alone:

    an image network's channels
    the depths of the cell's pixels, row-major, above or below the part's mean depth
    how much of the cell's middle is the part or near it, 0 to 1

In holes of the cloud, which every sensor leaves, depths are means of those around them. Where the part is
not, its mean depth is. As in AST (WACV 2023), which finds the part by itself; here preparation has done so.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import binary_closing, binary_dilation, uniform_filter
from torch.nn import functional

from models.features import Patches
from models.layout import GridLayout
from models.preparation.prepare import PreparedPart
from models.rgb.extractor import RgbExtractor
from recipes.picture import CellsChoice

_PASSES = 3
"""Times that a hole is filled from its edge, by a pixel each time."""
_SQUARE = np.ones((3, 3), np.bool_)


class CellsExtractor:
    """Cells of parts. The cells of a part depend on that part alone."""

    def __init__(
        self, choice: CellsChoice, network: RgbExtractor | None, device: str | torch.device = "cpu"
    ) -> None:
        """Keep the settings.

        choice: resolved: its unit of depth is a number. network: the loaded extractor of `choice.image`.
        device: where the rows go. Raises ValueError for a unit that still follows the product.
        """
        if choice.depth_unit is None:
            raise ValueError("the unit of depth follows the product: resolve the profile first")
        self.choice = choice
        self._unit = choice.depth_unit
        self._network = network
        self._device = torch.device(device)

    def __call__(self, parts: Sequence[PreparedPart]) -> list[Patches]:
        """One grid per part: rows (side * side, C + 1) float32, row-major; the last channel is the part."""
        return [Patches(self._rows(part), GridLayout(self.choice.side)) for part in parts]

    def _rows(self, part: PreparedPart) -> torch.Tensor:
        side = self.choice.side
        depth, there = depth_of(part)
        planes: list[torch.Tensor] = []
        if self._network is not None:
            (patches,) = self._network([part])
            planes.append(patches.rows)
        if self.choice.depth:
            pixels = torch.from_numpy(depth / np.float32(self._unit)).to(self._device)
            planes.append(_rows_of(functional.pixel_unshuffle(pixels[None, None], len(depth) // side)))
        near = binary_dilation(there, np.ones((len(there) // side + 1,) * 2, np.bool_))
        share = torch.from_numpy(near.astype(np.float32)).to(self._device)
        planes.append(
            _rows_of(
                functional.interpolate(share[None, None], (side, side), mode="bilinear", align_corners=False)
            )
        )
        return torch.cat(planes, dim=1)


def part_of(cells: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """What pictures of cells show (N, C, side, side), and how much of each cell is the part (N, side, side).

    cells: (N, C + 1, side, side).
    """
    return cells[:, :-1], cells[:, -1]


def depth_of(part: PreparedPart) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Depth (H, W) float32 metres from the part's mean depth, 0 where the part is not; and where it is.

    A part without a cloud is everywhere, and flat.
    """
    known, depth = part.valid, part.xyz[..., 2]
    if not known.any():
        return np.zeros_like(depth), np.ones_like(known)
    closed = binary_closing(np.pad(known, _PASSES), _SQUARE, iterations=_PASSES)
    there = known | np.asarray(closed, np.bool_)[_PASSES:-_PASSES, _PASSES:-_PASSES]
    for _ in range(_PASSES):
        depth, known = _filled(depth, known, there)
    there = there & known
    return np.where(there, depth - depth[there].mean(), 0).astype(np.float32), there


def _filled(
    depth: NDArray[np.float32], known: NDArray[np.bool_], there: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Depth and where it is known, after unknown pixels of the part took the mean of known neighbours."""
    share = uniform_filter(known.astype(np.float64), 3, mode="constant")
    total = uniform_filter(np.where(known, depth, 0).astype(np.float64), 3, mode="constant")
    new = there & ~known & (share > 0.1)  # a neighbour is a ninth
    filled = np.where(new, total / np.maximum(share, 0.1), depth)
    return filled.astype(np.float32), known | new


def _rows_of(planes: torch.Tensor) -> torch.Tensor:
    """(1, C, side, side) to (side * side, C)."""
    return planes[0].flatten(1).T
