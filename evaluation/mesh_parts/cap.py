"""A moulded bottle cap, 38 mm wide: ribbed skirt, tamper band, printed top. Shiny plastic."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.random import Generator

from evaluation.mesh_parts.body import Body, Coat, Flaw, Look, Spots, even, linear, over
from evaluation.mesh_parts.grain import Grain, step
from evaluation.mesh_parts.marks import digits, ring
from evaluation.mesh_parts.mesh import Floats, Mesh, joined
from evaluation.mesh_parts.shapes import revolved

RIBS, WIDE, TALL = 60, 0.0192, 0.0165


def cap(rng: Generator, flaw: Flaw | None = None) -> Body:
    """No features to leave out."""
    size, oval, turn = rng.normal(1, 0.003), 0.003 * rng.normal(), rng.uniform(0, np.pi)
    good = _nominal()
    at = good.vertices.astype(np.float64)
    angle = np.arctan2(at[:, 1], at[:, 0])
    sunk = 0.0001 * rng.normal() * np.clip(1 - np.hypot(at[:, 0], at[:, 1]) / 0.015, 0, 1)
    at = at * (size * (1 + oval * np.cos(2 * (angle - turn))))[:, None]
    at[:, 2] += sunk
    coat, plain = _coats(rng)
    return Body(good.mapped(at), coat, inner=linear("#bfe0cb"), soil=linear("#4a2f18"), plain=plain)


@lru_cache(maxsize=1)
def _nominal() -> Mesh:
    columns = RIBS * 8

    def ribs(radius: Floats, angle: Floats) -> Floats:
        wave = np.cos(RIBS * angle)
        ends = np.linspace(0, 1, len(radius))[:, None]
        return 0.00032 * wave * np.clip(8 * ends, 0, 1) * np.clip(8 * (1 - ends), 0, 1)

    band = revolved(
        np.array([[WIDE + 0.0008, 0.0], [WIDE + 0.0008, 0.0016], [WIDE + 0.0006, 0.0034]]), columns
    )
    lip = revolved(np.array([[WIDE + 0.0006, 0.0034], [WIDE - 0.0010, 0.0038]]), columns)
    groove = revolved(np.array([[WIDE - 0.0010, 0.0038], [WIDE - 0.0010, 0.0046], [WIDE, 0.0050]]), columns)
    skirt = revolved(
        np.column_stack([np.linspace(WIDE, WIDE - 0.0003, 14), np.linspace(0.005, 0.0142, 14)]), columns, ribs
    )
    bend = np.linspace(0, np.pi / 2, 9)
    edge = WIDE - 0.0003
    shoulder = np.column_stack([edge - 0.0023 * (1 - np.cos(bend)), 0.0142 + 0.0023 * np.sin(bend)])
    away = np.concatenate([np.linspace(edge - 0.0023, 0.0005, 26), [0.00002]])
    height = TALL - 0.0004 * step(0.0153 - away, 0.0009) + 0.00035 * step(0.0007 - away, 0.0005)
    top = revolved(np.column_stack([away, height]), columns // 3)
    return joined([band, lip, groove, skirt, revolved(shoulder, columns), top])


def _coats(rng: Generator) -> tuple[Coat, Coat]:
    """With and without the print, which never sits quite in the middle."""
    flow, fine = Grain(rng, 0.012), Grain(rng, 0.0006)
    off, askew = rng.normal(0, 0.00018, 2), np.radians(rng.normal(0, 1.5))
    base = linear("#1d7f4f") * (1 + rng.normal(0, 0.015, 3))
    ink = rng.normal(0.93, 0.015)

    def plain(spots: Spots) -> Look:
        tone = 1 + 0.02 * flow(spots.at) + 0.015 * fine(spots.at)
        colour = (tone[:, None] * base).astype(np.float32)
        return Look(colour, even(0, tone), even(0.42, tone), np.zeros_like(colour))

    def coat(spots: Spots) -> Look:
        look = plain(spots)
        x, y = spots.at[:, 0] - off[0], spots.at[:, 1] - off[1]
        x, y = x * np.cos(askew) + y * np.sin(askew), y * np.cos(askew) - x * np.sin(askew)
        away = np.hypot(x, y)
        top = (spots.at[:, 2] > 0.0158).astype(np.float32)
        white = ring(away, 0.0141, 0.0008)
        sun = step(
            0.0046 * (0.76 + 0.24 * np.cos(7 * np.arctan2(y - 0.0040, x))) - np.hypot(x, y - 0.0040), 0.0003
        )
        waves = [
            step(0.00055 - np.abs(y + low + 0.0007 * np.sin(x / 0.0013)), 0.0003)
            * step(reach - np.abs(x), 0.0006)
            for low, reach in ((0.0030, 0.0100), (0.0050, 0.0086))
        ]
        text = digits(x, y + 0.0088, "500 38", 0.0026)
        white = np.maximum.reduce([white, *waves, text]) * top * ink
        colour = over(look.albedo, linear("#f3f2ec"), white)
        colour = over(colour, linear("#f2c230"), (sun * top * ink).astype(np.float32))
        return Look(colour, look.metal, look.rough + 0.10 * np.maximum(white, sun * top), look.bump)

    return coat, plain
