"""Parts of moulded plastic."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from evaluation.demo_parts.fields import Field, smooth_noise
from evaluation.demo_parts.relief import Grid, Material, Relief, linear, ramp, rounded_box

BOSSES = ((-0.040, -0.021), (-0.040, 0.021), (0.040, -0.021), (0.040, 0.021))
"""Centres of the screw bosses, metres."""
RIBS = ((-0.024, True), (0.0, True), (0.024, True), (0.004, False))
"""Offset in metres, and whether the rib runs along y."""


def housing(rng: Generator, omit: float | None = None) -> Relief:
    """A plastic housing, 11 x 7 cm: wall, ribs, screw bosses, clips. `omit` leaves out a boss or a rib."""
    grid = Grid.around(0.112, 0.076)
    size = rng.normal(1, 0.004)
    x, y = grid.x / size, grid.y / size
    outline = rounded_box(x, y, 0.106, 0.070, 0.009)
    floor, wall = 0.0075 * rng.normal(1, 0.02), 0.0205 * rng.normal(1, 0.012)
    bow = 1 - 0.010 * rng.normal() * (x / 0.05) ** 2 - 0.010 * rng.normal() * (y / 0.035) ** 2
    inside = ramp(outline - 0.0040, 0.0010)
    height = wall * bow * ramp(outline, 0.0012) * (1 - inside) + floor * inside
    height = np.maximum(height, _ribs(x, y, inside, omit) * rng.normal(1, 0.01))
    height = np.maximum(height, _clips(x, y, wall * bow))
    height = _bosses(x, y, height.astype(np.float32), omit)
    # The vent slots go through the floor.
    for slot in range(3):
        away = rounded_box(x - 0.0135, y + 0.0135 - 0.0046 * slot, 0.0150, 0.0022, 0.0010)
        height *= 1 - ramp(away, 0.0009)
    flow = smooth_noise(rng, grid.shape, (grid.cells(0.012), grid.cells(0.05)))
    grain = smooth_noise(rng, grid.shape, 2.2)
    tone = rng.normal(1, 0.03) * (1 + 0.015 * flow + 0.02 * grain)
    colour = linear("#2f6f8f") * (1 + rng.normal(0, 0.02, 3))
    return Relief(
        grid,
        (height * (outline > -0.0006)).astype(np.float32),
        np.clip(tone[..., None] * colour, 0.01, 1).astype(np.float32),
        np.full(grid.shape, 0.10, np.float32),
        np.full(grid.shape, 0.05, np.float32),
        Material(inner=linear("#7fa9ba"), stain=linear("#1c2a30")),
    )


def _omitted(omit: float | None) -> int:
    """Which feature is left out: 0 to 3 a boss, 4 to 7 a rib, -1 none."""
    return -1 if omit is None else int(omit * (len(BOSSES) + len(RIBS)))


def _ribs(x: Field, y: Field, inside: Field, omit: float | None) -> Field:
    """(rows, cols) height of the ribs in metres."""
    height = np.zeros_like(x)
    for number, (offset, along_y) in enumerate(RIBS):
        if number + len(BOSSES) != _omitted(omit):
            line = 0.0014 - np.abs((x if along_y else y) - offset)
            height = np.maximum(height, 0.0145 * ramp(line, 0.0009) * inside)
    return height


def _bosses(x: Field, y: Field, height: Field, omit: float | None) -> Field:
    """`height` with hollow screw bosses standing in the corners."""
    for number, (left, up) in enumerate(BOSSES):
        if number != _omitted(omit):
            away = np.hypot(x - left, y - up)
            height = np.maximum(height, 0.0180 * ramp(0.0052 - away, 0.0010))
            pilot = ramp(0.0019 - away, 0.0010)
            height = height * (1 - pilot) + 0.0085 * pilot
    return height.astype(np.float32)


def _clips(x: Field, y: Field, top: Field) -> Field:
    """(rows, cols) height of the two snap-fit clips outside the long walls."""
    tabs = np.zeros_like(x)
    for left in (-0.022, 0.022):
        tabs = np.maximum(
            tabs, ramp(rounded_box(x - left, np.abs(y) - 0.0355, 0.0110, 0.0046, 0.0012), 0.0012)
        )
    return (0.72 * top * tabs).astype(np.float32)
