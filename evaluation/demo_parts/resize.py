"""Demo parts of another size: larger or smaller as a whole, or flat."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation.demo_parts.rendered import Stand


@dataclass(frozen=True, slots=True)
class Size:
    """The size of demo parts.

    Attributes:
        scale: factor of all coordinates: of the part, its table, its distance and the noise of the scanner.
        thickness: height of the part's highest point above the table before scaling, metres; all heights
            above the table, and the noise along them, shrink by the same factor. None keeps the heights.

    Raises ValueError for a number that is not above 0.
    """

    scale: float = 1.0
    thickness: float | None = None

    def __post_init__(self) -> None:
        if not self.scale > 0 or (self.thickness is not None and not self.thickness > 0):
            raise ValueError("scale and thickness must be above 0")

    def record(self) -> dict[str, float]:
        """What the record of a product says beside what it says of parts as they are rendered."""
        flat = {} if self.thickness is None else {"thickness": self.thickness}
        return flat if self.scale == 1 else {"scale": self.scale, **flat}


def resized(xyz: NDArray[np.float32], stand: Callable[[], Stand], size: Size) -> NDArray[np.float32]:
    """The cloud of a part in another size. xyz: (H, W, 3) metres, 0, 0, 0 = no return."""
    if size.thickness is not None:
        table = stand()
        points = xyz.astype(np.float64) @ table.turn.T + table.camera
        points[..., 2] *= size.thickness / table.height
        seen = (points - table.camera) @ table.turn
        xyz = np.where(xyz.any(axis=2, keepdims=True), seen, 0).astype(np.float32)
    return xyz if size.scale == 1 else (xyz * np.float32(size.scale)).astype(np.float32)
