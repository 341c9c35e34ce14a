"""Parts of metal: turned and stamped."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from evaluation.demo_parts.fields import Field, noise_line, smooth_noise
from evaluation.demo_parts.relief import PITCH_M, Grid, Material, Relief, linear, mix, ramp


def flange(rng: Generator, omit: float | None = None) -> Relief:
    """A turned steel flange, 10 cm wide: hub with bore, six bolt holes. `omit` leaves one blind."""
    grid = Grid.around(0.102, 0.102)
    distance = np.hypot(grid.x, grid.y)
    plate, hub = 0.0115 * rng.normal(1, 0.015), 0.021 * rng.normal(1, 0.012)
    outer, hub_radius, bore = rng.normal((0.0490, 0.0215, 0.0118), (0.0003, 0.0003, 0.0002))
    height = plate * ramp(outer - distance, 0.0022)
    height += 0.0016 * ramp(outer - 0.0055 - distance, 0.0014)
    height = np.maximum(height, hub * ramp(hub_radius + 0.0014 - distance, 0.0058) ** 0.8)
    height *= ramp(distance - bore, 0.0014)
    omitted = -1 if omit is None else int(omit * 6)
    for hole in range(6):
        x, y = 0.0345 * np.cos(hole * np.pi / 3), 0.0345 * np.sin(hole * np.pi / 3)
        away = np.hypot(grid.x - x, grid.y - y)
        floor = 0.76 if hole == omitted else 0.0
        height *= floor + (1 - floor) * ramp(away - 0.0044, 0.0010)
    rings = _rings(rng, distance, grid.cells(0.0011)) + 0.6 * _rings(rng, distance, grid.cells(0.006))
    sheen = np.cos(2 * (np.arctan2(grid.y, grid.x) - rng.uniform(0, np.pi)))
    tone = 1 + 0.045 * rings + 0.07 * sheen + 0.02 * smooth_noise(rng, grid.shape, grid.cells(0.02))
    tone += 0.015 * smooth_noise(rng, grid.shape, 2.0)
    steel = mix(
        np.broadcast_to(linear("#8a8d91"), (*grid.shape, 3)),
        linear("#8f8a80"),
        np.full(grid.shape, rng.random(), np.float32),
    )
    return Relief(
        grid,
        height.astype(np.float32),
        np.clip(steel * tone[..., None], 0.02, 1).astype(np.float32),
        np.clip(0.38 + 0.04 * rings, 0, 1).astype(np.float32),
        np.zeros(grid.shape, np.float32),
        Material(inner=linear("#46403a"), stain=linear("#7a431f")),
    )


def _rings(rng: Generator, distance: Field, wavelength: float) -> Field:
    """Noise that depends on the distance from the axis alone, as a lathe leaves it; deviation 1."""
    line = noise_line(rng, 512, wavelength)
    return np.interp(distance, np.arange(512) * PITCH_M * 0.5, line).astype(np.float32)


def lid(rng: Generator, omit: float | None = None) -> Relief:
    """A shiny jar lid of printed tinplate, 7 cm wide: knurled skirt, rolled rim. No features."""
    grid = Grid.around(0.076, 0.076)
    angle, distance = np.arctan2(grid.y, grid.x), np.hypot(grid.x, grid.y)
    tall = 0.0150 * rng.normal(1, 0.02)
    teeth = 0.00055 * np.cos(54 * angle + rng.uniform(0, 2 * np.pi)) * ramp(distance - 0.031, 0.003)
    height = tall * ramp(0.0352 + teeth - distance, 0.0026)
    rim = np.exp(-(((distance - 0.0318) / 0.0019) ** 2))
    panel = ramp(0.0285 - distance, 0.0022)
    button = ramp(0.0125 - distance, 0.0040)
    height += (0.0013 * rim - 0.0016 * panel + 0.0010 * button) * (height > 0.004)
    height += 0.0001 * smooth_noise(rng, grid.shape, grid.cells(0.018)) * (height > 0.004)
    albedo, printed = _print(rng, grid, distance, angle)
    gloss = 0.60 + 0.32 * np.clip(rim + ramp(distance - 0.0335, 0.002), 0, 1) - 0.06 * printed
    return Relief(
        grid,
        np.maximum(height, 0).astype(np.float32),
        albedo,
        np.clip(gloss, 0, 1).astype(np.float32),
        np.zeros(grid.shape, np.float32),
        Material(inner=linear("#c8c4b8"), stain=linear("#5b3a1c")),
    )


def _print(rng: Generator, grid: Grid, distance: Field, angle: Field) -> tuple[Field, Field]:
    """The lacquer, gold and a coloured field with band, dashes and emblem; and where the print is."""
    off = rng.normal(0, 0.0004, 2)  # the print never sits quite in the middle
    from_print = np.hypot(grid.x - off[0], grid.y - off[1])
    shade = rng.uniform(-1, 1)
    field_colour = linear("#8d1f26") * (1 + 0.12 * shade)
    gold = np.broadcast_to(linear("#c9a553"), (*grid.shape, 3))
    albedo = mix(gold, field_colour, ramp(0.0290 - from_print, 0.0008))
    band = ramp(0.0012 - np.abs(from_print - 0.0245), 0.0006)
    leaf = ramp(0.0105 * (0.55 + 0.45 * np.cos(8 * angle)) - from_print, 0.0008)
    dot = ramp(0.0026 - from_print, 0.0006)
    cream = linear("#efe3c6")
    albedo = mix(mix(mix(albedo, cream, band), cream, leaf), field_colour, dot)
    dashes = ramp(0.0009 - np.abs(from_print - 0.0195), 0.0005) * ramp(np.cos(24 * angle) - 0.1, 0.5)
    albedo = mix(albedo, cream, dashes)
    albedo = albedo * (1 + 0.02 * smooth_noise(rng, grid.shape, 3.0))[..., None]
    return np.clip(albedo, 0.01, 1).astype(np.float32), np.maximum(np.maximum(band, leaf), dashes)
