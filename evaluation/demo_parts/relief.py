"""A part as the renderer knows it: a height field over the table with its colours."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from evaluation.demo_parts.fields import Field

Mask = NDArray[np.bool_]

PITCH_M = 0.0004
"""Side of one cell: about one camera pixel."""
MARGIN_M = 0.010
"""Empty rim around a part, wide enough for its soft shadow on the table."""
BODY_M = 0.003
"""Cells at least this high belong to the part."""


def linear(colour: str) -> Field:
    """(3,) float32 linear light in [0, 1] from an sRGB colour "#rrggbb"."""
    encoded = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], np.float32) / 255
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4).astype(
        np.float32
    )


@dataclass(frozen=True)
class Grid:
    """Cells over the table. x grows with columns, y shrinks with rows; 0, 0 is the middle; metres."""

    rows: int
    cols: int
    x: Field = field(repr=False)
    y: Field = field(repr=False)

    @classmethod
    def around(cls, width: float, length: float) -> Grid:
        """A grid that holds a part of `width` (x) by `length` (y) metres and its margin."""
        rows, cols = (int((side + 2 * MARGIN_M) / PITCH_M) for side in (length, width))
        x = (np.arange(cols, dtype=np.float32) - (cols - 1) / 2) * PITCH_M
        y = ((rows - 1) / 2 - np.arange(rows, dtype=np.float32)) * PITCH_M
        return cls(rows, cols, *(np.ascontiguousarray(a) for a in np.meshgrid(x, y)))

    @property
    def shape(self) -> tuple[int, int]:
        return self.rows, self.cols

    def cells(self, metres: float) -> float:
        """A length in cells."""
        return metres / PITCH_M


@dataclass(frozen=True)
class Material:
    """Colours that a defect brings to light, linear (3,) float32."""

    inner: Field
    """Below the surface: crumb, bare metal, fibre."""
    stain: Field
    """What this part gets soiled with."""


@dataclass(frozen=True)
class Relief:
    """A part in its own frame; every array is (rows, cols) float32, cell for cell.

    height: metres above the table, 0 where there is no part.
    albedo: (rows, cols, 3) linear, [0, 1]. The camera sees it, the scanner does not.
    gloss: [0, 1], share of mirror-like reflection; seen by the camera and the scanner.
    absorb: [0, 1], how badly the projected pattern comes back (dark or translucent matter).
    """

    grid: Grid
    height: Field
    albedo: Field
    gloss: Field
    absorb: Field
    material: Material

    @property
    def body(self) -> Mask:
        """(rows, cols), True where there is a part."""
        return self.height > BODY_M


def ramp(distance: Field, width: float) -> Field:
    """0 to 1 as a signed distance (metres) passes from -width/2 to width/2, without a kink."""
    t = np.clip(np.asarray(distance, np.float32) / np.float32(width) + np.float32(0.5), 0, 1)
    return (t * t * (3 - 2 * t)).astype(np.float32)


def rounded_box(x: Field, y: Field, width: float, length: float, corner: float) -> Field:
    """Signed distance (metres) into a rounded rectangle: positive inside."""
    dx = np.abs(x) - (width / 2 - corner)
    dy = np.abs(y) - (length / 2 - corner)
    outside = np.hypot(np.maximum(dx, 0), np.maximum(dy, 0))
    return (corner - outside - np.minimum(np.maximum(dx, dy), 0)).astype(np.float32)


def mix(base: Field, colour: Field, weight: Field) -> Field:
    """(rows, cols, 3): `colour` ((3,) or (rows, cols, 3)) laid over `base` by `weight` (rows, cols)."""
    return (base + (colour - base) * weight[..., None]).astype(np.float32)
