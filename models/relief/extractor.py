"""Patches of a part's relief: how high and how bent the surface is on several scales, and its colour there.

Histograms of angles see how the surface turns within a few millimetres. A wide, shallow dent hardly turns it,
and a small bump turns it as a raised feature of good parts does. Here a patch tells how far its surface lies
above or below the surface around it, and its colour. A bump where good parts have raised features of another
colour is then far from all good patches (docs/results.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from models.features import Patches
from models.layout import GridLayout
from models.preparation.prepare import PreparedPart
from models.relief.quadrics import Blocks
from models.rgb.patch_colour import colour_planes
from models.usual import in_spreads, usual_of
from recipes.relief import CHANNELS, ReliefChoice

_FINE, _SMALL, _WIDE, _AROUND = 0.5, 1.125, 2.0, 6.0
"""Deviations of the windows, in patches."""
_COLOUR = 0.7
"""Weight of the colours."""
_INNERMOST = 0.9
"""Share of a part's patches whose windows the part fills less than those of the innermost ones."""


class ReliefExtractor:
    """Patches of quadric fits and colours. The result for a part depends on that part alone.

    Channels, in spreads of good parts from their median: the height of the surface above the surface around
    it, smoothed finely and widely; both principal curvatures of a small and of a wide window; the roughness
    within both; the slope; lightness and two colour differences.
    """

    channels = CHANNELS

    def __init__(self, choice: ReliefChoice, device: str | torch.device = "cpu") -> None:
        """Keep the settings.

        choice: what parts need is a resolved choice, whose unit is a number: for another one, a call raises
        ValueError. device: of the rows, which are computed on the CPU.
        """
        self.choice = choice
        self.device = torch.device(device)

    def __call__(self, parts: Sequence[PreparedPart]) -> list[Patches]:
        """One grid per part: rows (side * side, 12) float32, zero for patches at an edge and outside."""
        return [self._patches(part) for part in parts]

    def _patches(self, part: PreparedPart) -> Patches:
        at, found = self.raw(part)
        if self.choice.usual is not None:
            found = in_spreads(found, self.choice.usual)
            found[:, -3:] *= _COLOUR
        return Patches.on_grid(at, found, self.device)

    def raw(self, part: PreparedPart) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
        """The patches well inside the part, (side, side) bool, and their channels as measured,
        (patches, 12)."""
        side, valid = self.choice.side, part.valid
        depth = part.xyz[..., 2].astype(np.float64)
        middle = depth[valid].mean() if valid.any() else 0.0
        blocks = Blocks.of((middle - depth) / self.choice.length, valid, 2 * side)
        windows = blocks.moments(side, _WIDE)
        at = (windows.share > self.choice.least_share) & _shown(valid, side)
        wide = windows.fit(at)
        fine, small, around = (blocks.moments(side, cells).fit(at) for cells in (_FINE, _SMALL, _AROUND))
        above = [fine.height - around.height, wide.height - around.height]
        bends = [small.bend, wide.bend]
        single = [small.rough, wide.rough, wide.slope]
        shape = np.column_stack([*above, *bends, *single])
        return at, np.concatenate([shape, _colours(part.rgb, side)[at.ravel()]], axis=1)


def _shown(valid: NDArray[np.bool_], side: int) -> NDArray[np.bool_]:
    """(side, side) bool: patches that show some of the part. valid: (n, n) bool."""
    return GridLayout(side).touches(valid).reshape(side, side)


def _colours(rgb: NDArray[np.uint8], side: int) -> NDArray[np.float64]:
    """(side * side, 3): mean lightness and colour differences, smoothed over two patches."""
    image = torch.from_numpy(rgb).permute(2, 0, 1).float() / 255
    coarse = functional.adaptive_avg_pool2d(image, 2 * side)
    means = functional.adaptive_avg_pool2d(colour_planes(coarse), side // 2)[None]
    fine = functional.interpolate(means, size=(side, side), mode="bilinear", align_corners=False)
    return fine[0].flatten(1).T.double().numpy()


def usual_relief(choice: ReliefChoice, parts: Iterable[PreparedPart]) -> ReliefChoice:
    """The choice with what is usual on these good parts, where it still follows the product."""
    known = list(parts)
    widest = [share for part in known if (share := _widest(part, choice.side)) > 0]
    choice = choice.fitted(None, float(np.median(widest)) if widest else 1.0)
    rows = [ReliefExtractor(choice).raw(part)[1] for part in known]
    every = np.concatenate(rows) if rows else np.zeros((0, CHANNELS))
    return choice.fitted(usual_of(every), 1.0) if len(every) else choice


def _widest(part: PreparedPart, side: int) -> float:
    """Share of the windows of a part's innermost patches that shows the part; 0 without points."""
    blocks = Blocks.of(np.zeros(part.valid.shape), part.valid, 2 * side)
    share = blocks.moments(side, _WIDE).share[_shown(part.valid, side)]
    return min(1.0, float(np.quantile(share, _INNERMOST))) if len(share) else 0.0
