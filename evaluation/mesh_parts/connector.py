"""A plug housing, 56 mm wide: flange, block with two rows of eight cavities, gilt pins, printed numbers."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.random import Generator

from evaluation.mesh_parts.body import Body, Coat, Flaw, Look, Spots, linear, over
from evaluation.mesh_parts.grain import Grain
from evaluation.mesh_parts.marks import digits
from evaluation.mesh_parts.mesh import Mesh, joined
from evaluation.mesh_parts.outlines import circle, hole, rectangle
from evaluation.mesh_parts.shapes import prism, sheet

FLANGE, TOP, FLOOR = 0.0030, 0.0140, 0.0075
PINS = tuple((x * 0.0048, y * 0.0032) for y in (-1, 1) for x in np.arange(8) - 3.5)
KEYS = (-0.0130, 0.0060, 0.0140)
PIN = 1


def connector(rng: Generator, flaw: Flaw | None = None) -> Body:
    """`missing` leaves out a pin or a key; `bent` leans a pin."""
    size, tall, seat = rng.normal(1, 0.002), rng.normal(1, 0.006), rng.normal(0, 0.00008, (len(PINS), 3))
    lean = rng.normal(0, 0.006, (len(PINS), 2))
    bow = 0.00012 * rng.normal()
    coat, plain = _coats(rng)
    omitted = None
    if flaw is not None and flaw.kind == "missing":
        omitted = int(flaw.choice * (len(PINS) + 4 * len(KEYS)))
    elif flaw is not None:
        which, angle = int(flaw.choice * len(PINS)), 2 * np.pi * ((flaw.choice * len(PINS)) % 1)
        lean[which] = 0.17 * np.cos(angle), 0.17 * np.sin(angle)
    shell, pin, keys = _nominal()
    pieces = [shell]
    for number, key in enumerate(keys):
        if omitted is None or omitted < len(PINS) or (omitted - len(PINS)) // 4 != number:
            pieces.append(key)
    for number, (x, y) in enumerate(PINS):
        if number != omitted:
            at = pin.vertices.astype(np.float64)
            high = at[:, 2] - FLOOR
            leant = np.column_stack([lean[number, 0] * high, lean[number, 1] * high, 0 * high])
            pieces.append(pin.mapped(at + leant + np.array([x, y, 0]) + seat[number]))
    whole = joined(pieces)
    at = whole.vertices.astype(np.float64) * np.array([size, size, tall])
    at[:, 2] += bow * (at[:, 0] / 0.028) ** 2
    return Body(whole.mapped(at), coat, inner=linear("#f4f1e6"), soil=linear("#3a3128"), plain=plain)


@lru_cache(maxsize=1)
def _nominal() -> tuple[Mesh, Mesh, tuple[Mesh, ...]]:
    """The shell, one pin at 0, 0, and the keys on the block's side."""
    ears = [hole(circle(0.0016, x, 0.0, 0.0005)) for x in (-0.0247, 0.0247)]
    flange = prism([rectangle(0.057, 0.0240, 0.003, step=0.0008), *ears], 0.0, FLANGE, 0.0004, 0.0012)
    cavities = [hole(rectangle(0.0034, 0.0038, 0.0003, x, y, 0.0006)) for x, y in PINS]
    block = prism([rectangle(0.0425, 0.0170, 0.001, step=0.0008), *cavities], 0.001, TOP, 0.0003, 0.0012)
    floor = sheet([rectangle(0.0420, 0.0160, 0.001, step=0.0012)], FLOOR, 0.0016)
    latch = prism([rectangle(0.0110, 0.0028, 0.0005, 0.0, 0.0094, 0.0008)], 0.001, 0.0105, 0.0003, 0.0012)
    pin = prism([rectangle(0.0014, 0.0014, 0.0002, step=0.0004)], FLOOR - 0.001, 0.0130, 0.0003, 0.0008)
    keys = tuple(
        prism([rectangle(0.0016, 0.0026, 0.0003, x, -0.0092, 0.0006)], 0.001, TOP, 0.0003, 0.0010)
        for x in KEYS
    )
    return joined([flange, block, floor, latch]), pin.as_piece(PIN), keys


def _coats(rng: Generator) -> tuple[Coat, Coat]:
    """With and without the print."""
    flow, fine = Grain(rng, 0.010, (3.0, 1.0, 1.0)), Grain(rng, 0.0005)
    base = linear("#cfc8b2") * (1 + rng.normal(0, 0.010, 3))
    gilt, shine = linear("#d8b25c") * rng.normal(1, 0.02), rng.normal(0.40, 0.01)
    off, ink = rng.normal(0, 0.00012, 2), rng.normal(0.90, 0.02)

    def plain(spots: Spots) -> Look:
        pin = (spots.piece == PIN).astype(np.float32)
        tone = 1 + 0.012 * flow(spots.at) + 0.015 * fine(spots.at)
        colour = over((tone[:, None] * base).astype(np.float32), gilt, pin)
        bump = np.zeros_like(colour)
        bump[:, 0] = 0.02 * fine(spots.at[:, ::-1].copy())
        return Look(np.clip(colour, 0.01, 1), 0.95 * pin, shine - 0.08 * pin, bump)

    def coat(spots: Spots) -> Look:
        look = plain(spots)
        x, y, z = spots.at[:, 0] - off[0], spots.at[:, 1] - off[1], spots.at[:, 2]
        top = (z > TOP - 0.0008) & (spots.normal[:, 2] > 0.8) & (spots.piece != PIN)
        print_ = np.maximum(
            digits(x, y + 0.0068, "1 24 680 2026", 0.0021, 0.19), digits(x, y - 0.0068, "9 16", 0.0021, 0.19)
        )
        print_ = np.maximum(print_, ((np.abs(y) < 0.00025) & (np.abs(np.abs(x) - 0.0203) < 0.0009)))
        weight = (print_ * top * ink).astype(np.float32)
        return Look(over(look.albedo, linear("#1b2530"), weight), look.metal, look.rough, look.bump)

    return coat, plain
