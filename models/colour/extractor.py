"""Patches of a part's plain colour: the colour of the surface, its spread, and its difference from around.

A stain or a wrong tint is far from all good patches in these few channels. Beside the hundreds of channels of
an image network, the differences between good patches hide it (docs/results.md). Pixels outside the part do
not count, so a patch at an edge has the colour of the part alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch.nn import functional

from models.features import Patches
from models.preparation.prepare import PreparedPart
from models.rgb.patch_colour import colour_planes
from models.usual import in_spreads, usual_of
from recipes.colour import CHANNELS, ColourChoice

_AROUND = 3 / 28
"""Deviation of the window around a patch, as a share of the grid's side."""
_LEAST_SHARE = 0.25
"""Share of a patch that must show the part."""


class ColourExtractor:
    """Patches of plain colour. The result for a part depends on that part alone.

    Channels, in spreads of good parts from their median: the means of lightness and of two colour differences
    (`models.rgb.patch_colour`), their standard deviations within the patch, and the means less those of the
    part around the patch.
    """

    channels = CHANNELS

    def __init__(self, choice: ColourChoice, device: str | torch.device = "cpu") -> None:
        """Keep the settings. device: of the rows, which are computed on the CPU."""
        self.choice = choice
        self.device = torch.device(device)

    def __call__(self, parts: Sequence[PreparedPart]) -> list[Patches]:
        """One grid per part: rows (side * side, 9) float32, zero for patches that hardly show the part."""
        return [self._patches(part) for part in parts]

    def _patches(self, part: PreparedPart) -> Patches:
        at, found = self.raw(part)
        usual = self.choice.usual
        return Patches.on_grid(at, found if usual is None else in_spreads(found, usual), self.device)

    def raw(self, part: PreparedPart) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
        """The patches that show the part, (side, side) bool, and their channels as measured, (patches, 9)."""
        share, planes, squares = _sums(part, self.choice.side)
        at = share > _LEAST_SHARE
        means = planes / np.maximum(share, 1e-9)
        spreads = np.sqrt(np.maximum(squares / np.maximum(share, 1e-9) - means**2, 0))
        around = _smooth(planes) / np.maximum(_smooth(share[None]), 1e-9)
        return at, np.concatenate([means, spreads, means - around])[:, at].T


def _sums(
    part: PreparedPart, side: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Share of each patch that shows the part well inside its edge, (side, side), and the sums over that
    share of the colour planes and of their squares, (3, side, side)."""
    inside = ndimage.binary_erosion(part.valid, np.ones((3, 3)))
    image = torch.from_numpy(part.rgb).permute(2, 0, 1).float() / 255
    shown = functional.interpolate(torch.from_numpy(inside)[None, None].float(), image.shape[1:])[0]
    planes = colour_planes(image) * shown
    every = functional.adaptive_avg_pool2d(torch.cat([shown, planes, planes * planes]), side)
    sums = every.double().numpy()
    return sums[0], sums[1:4], sums[4:]


def _smooth(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    deviation = _AROUND * sums.shape[-1]
    return np.asarray(ndimage.gaussian_filter(sums, (0, deviation, deviation)))


def usual_colour(choice: ColourChoice, parts: Iterable[PreparedPart]) -> ColourChoice:
    """The choice with what is usual on these good parts, if it still follows the product."""
    rows = [ColourExtractor(choice).raw(part)[1] for part in parts]
    every = np.concatenate(rows) if rows else np.zeros((0, CHANNELS))
    return choice.fitted(usual_of(every)) if len(every) else choice
