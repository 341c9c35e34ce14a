"""Patches of a part's surface normals: the normals as a picture, seen by an image network."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn import functional

from models.features import Patches
from models.layout import GridLayout
from models.normals.picture import picture
from models.preparation.prepare import PreparedPart
from models.rgb.extractor import RgbExtractor
from recipes.extraction import NormalsChoice


class NormalsExtractor:
    """Patch grids of a picture of surface normals. The result for a part depends on that part alone."""

    def __init__(self, choice: NormalsChoice, network: RgbExtractor) -> None:
        """Keep the settings.

        choice: a resolved choice, whose gain is a number. network: the loaded extractor of `choice.network`.
        Raises ValueError for a gain that still follows the product.
        """
        if choice.gain is None:
            raise ValueError("the gain of the normals follows the product: resolve the profile first")
        self.smoothing = choice.smoothing
        self.gain = choice.gain
        self.averaged = choice.averaged
        self._network = network

    def __call__(self, parts: Sequence[PreparedPart]) -> list[Patches]:
        """One grid per part: rows (side * side, C) float32 on the network's device, row-major."""
        return [Patches(self._rows(part), GridLayout(self._network.side)) for part in parts]

    def _rows(self, part: PreparedPart) -> torch.Tensor:
        colours = picture(part.xyz, part.valid, smoothing=self.smoothing, gain=self.gain)
        image = torch.from_numpy(colours).to(self._network.device).permute(2, 0, 1)[None]
        edge = self._network.size
        if image.shape[-1] != edge:
            image = functional.interpolate(image, size=(edge, edge), mode="bilinear", align_corners=False)
        grid = self._network.grid(image)
        if self.averaged:
            grid = functional.avg_pool2d(grid, 3, 1, 1, count_include_pad=False)
        return grid[0].flatten(1).T.contiguous()
