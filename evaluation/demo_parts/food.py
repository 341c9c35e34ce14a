"""Parts that grew or were baked."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from evaluation.demo_parts.fields import Field, blurred, fractal_noise, noise_line, smooth_noise
from evaluation.demo_parts.relief import PITCH_M, Grid, Material, Relief, linear, mix, ramp


def around_angle(rng: Generator, angle: Field, waves: int) -> Field:
    """Smooth noise, deviation about 1, that closes over the full circle of `angle` (radians)."""
    total = np.zeros_like(angle)
    for wave in range(1, waves + 1):
        total += rng.normal() / wave * np.cos(wave * angle + rng.uniform(0, 2 * np.pi))
    return total.astype(np.float32)


def biscuit(rng: Generator, omit: float | None = None) -> Relief:
    """A chocolate-chip biscuit, 8 cm wide: wavy outline, lumps, cracks, a dozen chips. No features."""
    grid = Grid.around(0.096, 0.096)
    angle, distance = np.arctan2(grid.y, grid.x), np.hypot(grid.x, grid.y)
    radius = 0.040 * rng.normal(1, 0.02) * (1 + 0.012 * around_angle(rng, angle, 5))
    inside = np.clip(1 - (distance / radius) ** 4, 0, 1)
    lumps = fractal_noise(rng, grid.shape, grid.cells(0.014), 4)
    ridge = np.abs(smooth_noise(rng, grid.shape, grid.cells(0.016)))
    crack = np.exp(-((ridge / 0.055) ** 2)) * ramp(smooth_noise(rng, grid.shape, grid.cells(0.03)), 1.2)
    height = 0.0135 * rng.normal(1, 0.05) * inside**0.42
    height += (0.0008 * lumps - 0.0013 * crack) * inside
    toast = 0.55 * (distance / radius) ** 3 + 0.22 * lumps + 0.1 * rng.normal()
    albedo = mix(
        np.broadcast_to(linear("#d9ab6a"), (*grid.shape, 3)), linear("#a86a34"), np.clip(toast, 0, 1)
    )
    albedo = mix(albedo, linear("#8a5228"), (0.55 * crack).astype(np.float32))
    albedo *= (1 + 0.05 * smooth_noise(rng, grid.shape, 2.5))[..., None]
    height, albedo, chips = _with_chips(rng, grid, height.astype(np.float32), albedo)
    body = (inside > 0).astype(np.float32)
    return Relief(
        grid,
        np.maximum(height, 0) * body,
        np.clip(albedo, 0.01, 1),
        0.12 * chips,
        0.35 * chips,
        Material(inner=linear("#e3c28c"), stain=linear("#4f7a66")),
    )


def _with_chips(rng: Generator, grid: Grid, height: Field, albedo: Field) -> tuple[Field, Field, Field]:
    """Presses chocolate chips into the dough; also returns where they are, (rows, cols) in [0, 1]."""
    chips = np.zeros(grid.shape, np.float32)
    count, start = int(rng.integers(9, 14)), rng.uniform(0, 2 * np.pi)
    for chip in range(count):
        # A sunflower spiral keeps chips apart; the jitter keeps them from looking placed.
        reach = 0.033 * np.sqrt((chip + 0.6) / count)
        angle = start + 2.39996 * chip
        x, y = reach * np.cos(angle) + rng.normal(0, 0.0022), reach * np.sin(angle) + rng.normal(0, 0.0022)
        size, flat, turn = rng.uniform(0.0030, 0.0050), rng.uniform(0.65, 1.0), rng.uniform(0, np.pi)
        u = (grid.x - x) * np.cos(turn) + (grid.y - y) * np.sin(turn)
        v = (grid.y - y) * np.cos(turn) - (grid.x - x) * np.sin(turn)
        bump = np.sqrt(np.clip(1 - (u**2 + (v / flat) ** 2) / size**2, 0, 1))
        height = height + 0.0019 * bump * (height > 0.004)
        chips = np.maximum(chips, ramp(bump - 0.28, 0.3) * (height > 0.004))
    return height, mix(albedo, linear("#3d2416") * rng.uniform(0.9, 1.25), chips), chips


def carrot(rng: Generator, omit: float | None = None) -> Relief:
    """A carrot, 14 cm long, lying along y: bent, tapered, creased, with a cut green top. No features."""
    grid = Grid.around(0.046, 0.152)
    length, thick = 0.138 * rng.normal(1, 0.025), 0.0155 * rng.normal(1, 0.05)
    along = np.clip((grid.y + length / 2) / length, 0, 1)  # 0 at the tip, 1 at the top
    axis = rng.normal(0, 0.0020) * np.cos(np.pi * along) + rng.normal(0, 0.0012) * np.sin(2 * np.pi * along)
    radius = thick * (0.34 + 0.66 * along ** rng.uniform(0.6, 0.85))
    past = np.maximum(np.abs(grid.y) - (length / 2 - 0.009), 0) / 0.009
    radius = radius * np.sqrt(np.clip(1 - past**2, 0, 1))
    radius = radius * (1 + 0.02 * noise_line(rng, grid.rows, grid.cells(0.012)))[:, None]
    across = (grid.x - axis) / np.maximum(radius, 1e-4)
    round_top = np.sqrt(np.clip(1 - across**2, 0, 1))
    creases = _creases(rng, grid, across)
    wobble = smooth_noise(rng, grid.shape, (grid.cells(0.010), grid.cells(0.014)))
    height = radius * (1 + round_top) + (0.00035 * wobble - 0.0008 * creases) * round_top
    height = np.where(np.abs(across) < 1, height, 0) * (radius > 0.0015)
    tone = (
        0.5 + 0.25 * smooth_noise(rng, grid.shape, (grid.cells(0.05), grid.cells(0.02))) + 0.25 * rng.normal()
    )
    albedo = mix(np.broadcast_to(linear("#e8781e"), (*grid.shape, 3)), linear("#d35a10"), np.clip(tone, 0, 1))
    albedo = mix(albedo, linear("#a4521c"), np.clip(0.7 * creases, 0, 1))
    albedo *= (1 + 0.035 * smooth_noise(rng, grid.shape, (2.0, 8.0)))[..., None]
    edge = length / 2 - 0.011 + 0.0015 * noise_line(rng, grid.cols, grid.cells(0.006))[None, :]
    top = ramp(grid.y - edge, 0.006)
    albedo = mix(albedo, linear("#6c7a34"), 0.8 * top)
    soft = blurred(height, 0.8)
    return Relief(
        grid,
        np.where(height > 0, soft, 0).astype(np.float32),
        np.clip(albedo, 0.01, 1),
        np.full(grid.shape, 0.05, np.float32),
        0.15 * top,
        Material(inner=linear("#f0a94e"), stain=linear("#3b2c1e")),
    )


def _creases(rng: Generator, grid: Grid, across: Field) -> Field:
    """(rows, cols) in [0, 1]: short cross lines, the scars of side roots."""
    lines = np.zeros(grid.shape, np.float32)
    for _ in range(int(rng.integers(16, 26))):
        y, side, reach = rng.uniform(-0.07, 0.06), rng.uniform(-0.8, 0.8), rng.uniform(0.2, 0.6)
        width, slant = rng.uniform(0.0004, 0.0008), rng.normal(0, 0.0012)
        rows = slice(
            *np.clip(
                ((0.5 * (grid.rows - 1)) * PITCH_M - y + np.array([-0.006, 0.006])) / PITCH_M, 0, grid.rows
            ).astype(int)
        )
        part = across[rows] - side
        line = np.exp(-(((grid.y[rows] - y - slant * part) / width) ** 2)) * np.exp(-((part / reach) ** 4))
        lines[rows] = np.maximum(lines[rows], line * rng.uniform(0.5, 1.0))
    return lines
