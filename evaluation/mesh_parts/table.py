"""The table: a worn sheet, fixed for a product's station."""

from __future__ import annotations

import numpy as np

from evaluation.demo_parts.keys import PartKey, stream
from evaluation.mesh_parts.body import Look, even, linear, over
from evaluation.mesh_parts.grain import Grain
from evaluation.mesh_parts.mesh import Floats
from evaluation.mesh_parts.products import Product


class Table:
    def __init__(self, product: Product, key: PartKey) -> None:
        rng = stream(key.seed, product.name, "mesh table")
        self._colour, self._wear = linear(product.table), linear("#8a8178")
        self._brushed = Grain(rng, 0.0016, (1.0, 9.0, 1.0))
        self._worn = Grain(rng, 0.035)

    def look(self, points: Floats) -> Look:
        """points: (N, 3), table frame."""
        brushed, worn = self._brushed(points), self._worn(points)
        colour = (self._colour * (1 + 0.045 * brushed + 0.03 * worn)[:, None]).astype(np.float32)
        colour = over(colour, self._wear, np.clip(0.05 * (worn - 1.1), 0, 0.2))
        return Look(colour, even(0, worn), even(0.75, worn), np.zeros_like(colour))
