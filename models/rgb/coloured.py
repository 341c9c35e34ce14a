"""RGB patches with their plain colour beside the network's channels."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from models.features import Patches
from models.preparation.prepare import PreparedPart
from models.rgb.extractor import RgbExtractor
from models.rgb.patch_colour import patch_colour


class ColouredExtractor:
    """A network's patches, followed by `factor` times their plain colour (`models.rgb.patch_colour`).

    Products with other factors share the network.
    """

    def __init__(self, network: RgbExtractor, factor: float) -> None:
        self.network = network
        self.factor = factor

    def __call__(self, parts: Sequence[PreparedPart]) -> list[Patches]:
        """One grid per part: rows (side * side, C + COLOUR_CHANNELS) float32 on the network's device."""
        grids = zip(parts, self.network(parts), strict=True)
        return [Patches(torch.cat([grid.rows, self._colours(part)], 1), grid.layout) for part, grid in grids]

    def _colours(self, part: PreparedPart) -> torch.Tensor:
        image = torch.tensor(part.rgb, device=self.network.device).permute(2, 0, 1).float() / 255
        return self.factor * patch_colour(image, self.network.side)
