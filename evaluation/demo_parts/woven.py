"""Parts of woven fibre."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from evaluation.demo_parts.fields import Field, noise_line, smooth_noise
from evaluation.demo_parts.relief import Grid, Material, Relief, linear, mix, ramp, rounded_box

SIDE_M = 0.092
STRANDS = 11
SPACING_M = SIDE_M / STRANDS


def coaster(rng: Generator, omit: float | None = None) -> Relief:
    """A woven rush coaster, 10 cm wide, on a backing with a sewn rim. `omit` leaves out one strand."""
    grid = Grid.around(0.106, 0.106)
    skew = rng.normal(0, 0.010)
    x, y = grid.x + skew * grid.y, grid.y + rng.normal(0, 0.010) * grid.x
    x = x + 0.00045 * smooth_noise(rng, grid.shape, grid.cells(0.03))
    y = y + 0.00045 * smooth_noise(rng, grid.shape, grid.cells(0.03))
    fat = 0.0043 * rng.normal(1, 0.02)
    warp_top, warp_tone = _strands(rng, x, y, fat, 0, None)
    weft_top, weft_tone = _strands(rng, y, x, fat, 1, omit)
    field = rounded_box(x, y, SIDE_M, SIDE_M, 0.006)
    weave = np.maximum(np.maximum(warp_top, weft_top), 0.0062) * ramp(field, 0.0012)
    over = ramp(warp_top - weft_top, 0.0004)
    gap = 1 - ramp(np.maximum(warp_top, weft_top) - 0.0078, 0.0025)
    straw, pale = linear("#c8a664"), linear("#ddc48c")
    tone = over * warp_tone + (1 - over) * weft_tone + 0.12 * rng.normal()
    albedo = mix(
        np.broadcast_to(straw, (*grid.shape, 3)), pale, np.clip(0.5 + 0.42 * tone, 0, 1).astype(np.float32)
    )
    albedo = mix(albedo, linear("#6e5028"), 0.75 * gap)
    height, albedo = _with_rim(rng, grid, x, y, weave, albedo)
    return Relief(
        grid,
        height.astype(np.float32),
        np.clip(albedo, 0.01, 1).astype(np.float32),
        np.full(grid.shape, 0.03, np.float32),
        np.zeros(grid.shape, np.float32),
        Material(inner=linear("#efe0b6"), stain=linear("#59402a")),
    )


def _strands(
    rng: Generator, across: Field, along: Field, fat: float, phase: int, omit: float | None
) -> tuple[Field, Field]:
    """Height (metres) and tone (about -1 to 1) of parallel strands that go over and under the others."""
    number = np.clip(np.floor(across / SPACING_M + STRANDS / 2), 0, STRANDS - 1).astype(np.intp)
    centre = (number - (STRANDS - 1) / 2) * SPACING_M + rng.normal(0, 0.0002, STRANDS)[number]
    crossing = np.cos(np.pi * (along / SPACING_M + STRANDS / 2 + 0.5 + number + phase))
    lift = 0.0087 + 0.0016 * crossing + rng.normal(0, 0.00018, STRANDS)[number]
    shape = np.sqrt(np.clip(1 - ((across - centre) / fat) ** 2, 0, 1))
    top = lift - 0.0026 + 0.0040 * shape
    if omit is not None:
        top = np.where(number == 2 + int(omit * (STRANDS - 4)), 0, top)
    fibres = noise_line(rng, 2048, 3.0)
    row = ((across - across.min()) / 0.00012).astype(np.intp) % 2048
    tone = 0.35 * rng.normal(0, 1, STRANDS)[number] + 0.30 * fibres[row]
    return top.astype(np.float32), (tone + 0.25 * shape).astype(np.float32)


def _with_rim(
    rng: Generator, grid: Grid, x: Field, y: Field, height: Field, albedo: Field
) -> tuple[Field, Field]:
    """Adds the twisted cord sewn around the weave."""
    inside = rounded_box(x, y, SIDE_M + 0.009, SIDE_M + 0.009, 0.011)
    cord = np.sqrt(np.clip(1 - ((inside - 0.0042) / 0.0042) ** 2, 0, 1))
    run = np.where(np.abs(x) > np.abs(y), y * np.sign(x), -x * np.sign(y))
    twist = np.cos(2 * np.pi * (run / 0.0052 + inside / 0.009) + rng.uniform(0, 6.28))
    rim = np.where(cord > 0, 0.0060 + 0.0062 * cord + 0.0005 * twist * cord, 0)
    where = ramp(rim - height, 0.0006) * (cord > 0)
    colour = mix(
        np.broadcast_to(linear("#a87e42"), (*grid.shape, 3)), linear("#7d5727"), ramp(-twist - 0.55, 0.5)
    )
    return np.maximum(height, rim).astype(np.float32), mix(albedo, colour, where.astype(np.float32))
