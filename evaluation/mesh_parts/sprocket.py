"""A chain sprocket of zinc-plated steel, 8 cm wide: 18 teeth, hub with a keyway, five holes."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.random import Generator

from evaluation.mesh_parts.body import Body, Coat, Flaw, Look, Spots, even, linear, over
from evaluation.mesh_parts.grain import Grain, step
from evaluation.mesh_parts.marks import digits
from evaluation.mesh_parts.mesh import Floats, Mesh, joined
from evaluation.mesh_parts.outlines import circle, dense, hole, polar
from evaluation.mesh_parts.shapes import prism

TEETH, HOLES = 18, 5
TIP, ROOT, PLATE = 0.0400, 0.0347, 0.0070
BORE, HUB, TOP = 0.0075, 0.0150, 0.0165


def sprocket(rng: Generator, flaw: Flaw | None = None) -> Body:
    """`missing` leaves out a hole, or breaks off a tooth."""
    choice = None if flaw is None else int(flaw.choice * (TEETH + 2 * HOLES))
    good = _nominal(choice)
    size, tall = rng.normal(1, 0.0025), rng.normal(1, 0.010)
    at = good.vertices.astype(np.float64)
    dish = 0.0002 * rng.normal() * (np.hypot(at[:, 0], at[:, 1]) / TIP) ** 2
    at = np.column_stack([at[:, :2] * size, at[:, 2] * np.where(at[:, 2] > PLATE, tall, 1) + dish])
    return Body(good.mapped(at), _coat(rng), inner=linear("#5a5148"), soil=linear("#6e3c1c"))


@lru_cache(maxsize=64)
def _nominal(omitted: int | None) -> Mesh:
    angle = np.arange(TEETH * 24) * (2 * np.pi / (TEETH * 24))
    tooth = np.cos(TEETH * angle)
    share = step(tooth - 0.05, 1.5).astype(np.float64)
    if omitted is not None and omitted < TEETH:
        away = (angle - omitted * 2 * np.pi / TEETH + np.pi) % (2 * np.pi) - np.pi
        share = np.where(np.abs(away) < np.pi / TEETH, share * 0.25, share)
    outlines = [polar(ROOT + (TIP - ROOT) * share), hole(circle(BORE))]
    for number in range(HOLES):
        if omitted is None or omitted < TEETH or (omitted - TEETH) // 2 != number:
            turn = (number + 0.5) * 2 * np.pi / HOLES
            outlines.append(hole(circle(0.0052, 0.0240 * np.cos(turn), 0.0240 * np.sin(turn))))
    plate = prism(outlines, 0.0, PLATE, 0.0007, 0.0016)
    hub = prism([circle(HUB), hole(_keyed())], PLATE - 0.001, TOP, 0.0005, 0.0016)
    return joined([plate, hub])


def _keyed() -> Floats:
    """The bore with its keyway."""
    start = np.arcsin(0.0019 / BORE)
    angle = np.linspace(start, 2 * np.pi - start, 60)
    round_ = BORE * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    return dense(np.concatenate([round_, [[0.0098, -0.0019], [0.0098, 0.0019]]]), 0.0009)


def _coat(rng: Generator) -> Coat:
    marks = rng.standard_normal(700)
    fine, coarse = Grain(rng, 0.0012), Grain(rng, 0.018)
    hard = rng.normal(0.0362, 0.0004)  # the teeth are hardened, and darker from here
    warmth, tone = rng.normal(0, 0.01), rng.normal(0.60, 0.012)
    off = rng.normal(0, 0.0004, 2)

    def coat(spots: Spots) -> Look:
        x, y, _ = spots.at.T
        away = np.hypot(x, y)
        flat = np.clip(np.abs(spots.normal[:, 2]) * 2 - 1, 0, 1)
        lines = np.interp(away, np.arange(700) * 0.00008, marks).astype(np.float32)
        cloud = coarse(spots.at)
        shade = tone * (1 + 0.02 * cloud + 0.012 * lines * flat + 0.015 * fine(spots.at))
        steel = shade[:, None] * np.array([1 + warmth, 1.0, 1.02 - warmth], np.float32)
        colour = over(steel, linear("#7d6a58") * 0.9, 0.55 * step(away - hard + 0.0003 * cloud, 0.0022))
        stamp = digits(x - off[0], y + 0.0295 - off[1], "18", 0.0040) * flat
        colour = colour * (1 - 0.6 * stamp)[:, None]
        radial = np.stack([x, y, np.zeros_like(x)], axis=-1) / np.maximum(away, 1e-4)[:, None]
        bump = radial * (0.028 * lines * flat)[:, None]
        return Look(
            np.clip(colour, 0.01, 1).astype(np.float32),
            even(0.8, x),
            0.47 + 0.02 * cloud,
            bump.astype(np.float32),
        )

    return coat
