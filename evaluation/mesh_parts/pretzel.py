"""A baked pretzel, 9 cm wide: a rope with a thick belly whose thin arms cross and lie on it; salt."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from evaluation.mesh_parts.body import Body, Coat, Flaw, Look, Spots, even, linear, over
from evaluation.mesh_parts.grain import Grain, step
from evaluation.mesh_parts.mesh import Floats, Mesh, joined
from evaluation.mesh_parts.shapes import globe, tube
from evaluation.mesh_parts.vectors import rotated

POINTS, AROUND = 420, 36
SALT = 1


def pretzel(rng: Generator, flaw: Flaw | None = None) -> Body:
    """`missing` breaks a piece out of an arm or of the side."""
    t = np.linspace(-4.0, 4.0, POINTS)
    path, radius = _rope(rng, t)
    lumps, swell = Grain(rng, 0.011), Grain(rng, 0.004)
    salt = _salt(rng, path, radius)
    coat = _coat(rng)
    gap = np.ones(POINTS)
    if flaw is not None:
        middle = (1.0 if flaw.choice < 0.5 else -1.0) * (0.9 + 2.6 * ((2 * flaw.choice) % 1))
        gap = 1 - step(0.42 - np.abs(t - middle) + 0.03 * np.sin(31 * t), 0.10)
    rope = tube(path, radius * np.maximum(gap, 0.02), AROUND, flat=0.86)
    lump = 0.0006 * lumps(rope.vertices) + 0.00018 * swell(rope.vertices)
    whole = np.repeat(np.concatenate([gap[:1], gap, gap[-1:]]), AROUND)
    rope = rope.mapped(rope.vertices + rope.normals() * (lump * (whole > 0.9))[:, None])
    left = whole[rope.triangles].max(axis=1) > 0.05
    rope = Mesh(rope.vertices, rope.rest, rope.triangles[left], rope.piece[left])
    broken = t[gap < 0.9]
    kept = [grain for at, grain in salt if not broken.size or not broken[0] < at < broken[-1]]
    mesh = joined([rope, *kept])
    if broken.size:
        at_break = (gap < 0.9) & (gap > 0.05)
        coat = _with_breaks(coat, path[at_break], float(radius[at_break].mean()))
    return Body(mesh, coat, inner=linear("#e9d3a4"), soil=linear("#25301f"))


def _rope(rng: Generator, t: Floats) -> tuple[Floats, Floats]:
    """Its middle line (N, 3) and radius (N,), made by hand: no two are alike."""
    size, wide, high = 0.0174 * rng.normal(1, 0.015), rng.normal(1, 0.02), rng.normal(1, 0.02)
    wobble = np.zeros((2, len(t)))
    for wave in (1, 2, 3):
        wobble += rng.normal(0, 0.0006 / wave, (2, 1)) * np.cos(wave * t / 1.3 + rng.uniform(0, 6.3))
    x = wide * size * (3.3 - 0.4 * t**2) * np.sin(t) + wobble[0]
    y = high * size * ((2.5 - 0.3 * t**2) * np.cos(t) - 0.8) + wobble[1]
    radius = (0.0047 + 0.0026 * np.exp(-((t / 1.3) ** 2))) * rng.normal(1, 0.02)
    radius = radius * (
        1 + 0.02 * np.cos(3.1 * t + rng.uniform(0, 6.3)) + 0.02 * np.cos(5.3 * t + rng.uniform(0, 6.3))
    )
    ends = np.clip((4.0 - np.abs(t)) / 0.16, 0, 1)
    radius = radius * np.sqrt(np.clip(1 - (1 - ends) ** 2, 0.0005, 1))
    lift = 0.0072 * np.exp(-(((t - 2.86) / 0.20) ** 2)) + 0.0066 * np.exp(-(((t + 3.20) / 0.22) ** 2))
    lift = lift + 0.0080 * np.clip((np.abs(t) - 3.45) / 0.45, 0, 1)
    return np.column_stack([x, y, 0.0056 + lift]), radius


def _salt(rng: Generator, path: Floats, radius: Floats) -> list[tuple[float, Mesh]]:
    """Coarse grains on top, each with its place on the rope (t)."""
    points, triangles = globe(5, 8)
    grains = []
    for _ in range(int(rng.integers(34, 52))):
        number = int(rng.integers(12, POINTS - 12))
        along = path[number + 1] - path[number - 1]
        side = np.array([-along[1], along[0], 0.0]) / np.hypot(along[0], along[1])
        lean = np.radians(rng.uniform(-55, 55))
        out = side * np.sin(lean) + np.array([0, 0, 0.86 * np.cos(lean)])
        size = rng.uniform(0.0007, 0.0013) * np.array([1.0, rng.uniform(0.6, 1), rng.uniform(0.5, 0.8)])
        cubic = np.sign(points) * np.abs(points) ** 0.6
        angle = rng.uniform(0, np.pi)
        turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
        grain = rotated(cubic * size, turn) + path[number] + out * radius[number]
        grains.append((float(-4 + 8 * number / (POINTS - 1)), Mesh.of(grain, triangles, SALT)))
    return grains


def _coat(rng: Generator) -> Coat:
    cloud, spot, fine = Grain(rng, 0.016), Grain(rng, 0.005), Grain(rng, 0.0008)
    bake = rng.normal(0, 0.12)
    split = Grain(rng, 0.006)
    at_split = rng.normal(0.027, 0.0006)

    def coat(spots: Spots) -> Look:
        x, y, z = spots.at.T
        salt = (spots.piece == SALT).astype(np.float32)
        hills = fine(spots.at)
        top = np.clip(0.5 + 0.5 * spots.normal[:, 2], 0, 1)
        brown = np.clip(0.30 + bake + 0.45 * top + 0.16 * cloud(spots.at) + 0.09 * spot(spots.at), 0, 1)
        colour = over(linear("#d9a057"), linear("#7c3d16"), brown.astype(np.float32))
        ragged = y - at_split + 6.0 * (x**2) + 0.0009 * split(spots.at)
        pale = step(0.0013 - np.abs(ragged), 0.0009) * step(0.016 - np.abs(x), 0.005) * step(z - 0.007, 0.002)
        colour = over(colour, linear("#e6cf9c"), 0.85 * pale) * (1 + 0.04 * hills)[:, None]
        colour = over(colour, linear("#f4f1ec"), salt)
        rough = 0.46 + 0.25 * np.maximum(pale, salt) + 0.03 * hills
        bump = np.zeros_like(colour)
        bump[:, 0], bump[:, 1] = 0.06 * hills, 0.06 * fine(spots.at[:, ::-1].copy())
        return Look(np.clip(colour, 0.01, 1).astype(np.float32), even(0, x), rough.astype(np.float32), bump)

    return coat


def _with_breaks(coat: Coat, ends: Floats, reach: float) -> Coat:
    """The crumb shows where the rope is broken."""

    def broken(spots: Spots) -> Look:
        look = coat(spots)
        away = np.full(len(spots.at), np.inf, np.float32)
        for end in ends[::2]:
            away = np.minimum(away, ((spots.at - end.astype(np.float32)) ** 2).sum(axis=1))
        crumb = step(0.85 * reach - np.sqrt(away), 0.001)
        return Look(over(look.albedo, linear("#e9d3a4"), 0.9 * crumb), look.metal, look.rough, look.bump)

    return broken
