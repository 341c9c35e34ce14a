"""A die-cast aluminium bracket, 10 cm wide: a plate, an upright with gussets, two bosses and a rib."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.random import Generator

from evaluation.mesh_parts.body import Body, Coat, Flaw, Look, Spots, even, linear, over
from evaluation.mesh_parts.grain import Grain
from evaluation.mesh_parts.marks import digits, ring
from evaluation.mesh_parts.mesh import Mesh, joined
from evaluation.mesh_parts.outlines import circle, dense, hole, rectangle
from evaluation.mesh_parts.shapes import carried, prism

PLATE, WALL = 0.0060, 0.0270
BOSSES = (-0.0190, 0.0190)
GUSSETS = (-0.0300, 0.0, 0.0300)
FEATURES = ("boss", "boss", "gusset", "gusset", "gusset", "rib")
STEP = 0.0018
_SIDEWAYS = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
"""Turns what stands on x, y up so that it lies in y, z and is thick along x."""


def bracket(rng: Generator, flaw: Flaw | None = None) -> Body:
    """`missing` leaves out a boss, a gusset or the rib; `bent` pushes a gusset or a boss aside."""
    missing, bent, lean = None, None, (0.0, 0.0)
    size, draft = rng.normal(1, 0.003), rng.normal(1, 0.008)
    bow = 0.00025 * rng.normal(size=2)
    coat = _coat(rng)
    if flaw is not None and flaw.kind == "missing":
        missing = int(flaw.choice * len(FEATURES))
    elif flaw is not None:
        bent = int(flaw.choice * 5)
        side = 1.0 if (flaw.choice * 5) % 1 < 0.5 else -1.0
        lean = (0.32 * side, 0.10 * side)
    pieces = []
    for number, piece in enumerate(_nominal()):
        if missing is not None and number == missing + 1:
            continue
        at = piece.vertices.astype(np.float64)
        if bent is not None and number == bent + 1:
            high = np.maximum(at[:, 2] - PLATE, 0)
            at = at + np.column_stack([lean[0] * high, lean[1] * high, 0 * high])
        at = at * np.array([size, size, draft])
        at[:, 2] += bow[0] * (at[:, 0] / 0.05) ** 2 + bow[1] * at[:, 1] / 0.03
        pieces.append(piece.mapped(at))
    return Body(joined(pieces), coat, inner=linear("#d9dcde"), soil=linear("#3d3428"))


@lru_cache(maxsize=1)
def _nominal() -> tuple[Mesh, ...]:
    """Plate with upright, then the features in the order of `FEATURES`."""
    outlines = [rectangle(0.098, 0.064, 0.008)]
    for x in (-0.0405, 0.0405):
        outlines += [hole(circle(0.0034, x, -0.0230)), hole(circle(0.0034, x, 0.0130))]
    outlines.append(hole(rectangle(0.0160, 0.0060, 0.0029, 0.0, -0.0240)))
    plate = prism(outlines, 0.0, PLATE, 0.0007, STEP)
    wall = prism([rectangle(0.090, 0.0052, 0.0012, 0.0, 0.0272)], PLATE - 0.001, WALL, 0.0007, STEP)
    features = [_boss(x) for x in BOSSES] + [_gusset(x) for x in GUSSETS]
    rib = prism([rectangle(0.030, 0.0032, 0.0008, 0.0, -0.0120)], PLATE - 0.001, 0.0125, 0.0005, STEP)
    return (joined([plate, wall]), *features, rib)


def _boss(x: float) -> Mesh:
    outlines = [circle(0.0066, x, -0.0120), hole(circle(0.0026, x, -0.0120))]
    return prism(outlines, PLATE - 0.001, 0.0170, 0.0006, STEP).as_piece(1)


def _gusset(x: float) -> Mesh:
    corners = np.array([[0.0250, PLATE - 0.001], [0.0250, 0.0235], [0.0030, PLATE - 0.001]])
    half = prism([dense(corners, 0.0016)], 0.0, 0.0022, 0.0004, STEP)
    other = half.mapped(half.vertices * np.array([1, 1, -1]))
    return carried(joined([half, other]), _SIDEWAYS, (x, 0, 0))


def _coat(rng: Generator) -> Coat:
    sand = [Grain(rng, 0.0011) for _ in range(3)]
    flow, cloud = Grain(rng, 0.010, (3.0, 1.0, 1.0)), Grain(rng, 0.030)
    tone = rng.normal(0.56, 0.012)
    clock = rng.normal(0, 0.0002, 2)

    def coat(spots: Spots) -> Look:
        x, y, z = spots.at.T
        rough = np.stack([grain(spots.at) for grain in sand], axis=-1)
        machined = ((spots.piece == 1) & (z > 0.0166)).astype(np.float32)
        shade = tone * (1 + 0.03 * flow(spots.at) + 0.03 * cloud(spots.at) + 0.03 * rough[:, 0])
        colour = shade[:, None] * np.array([1.0, 1.005, 1.015], np.float32)
        colour = over(colour, linear("#d4d6d8"), 0.7 * machined)
        on_plate = (z < PLATE + 0.0006) & (spots.normal[:, 2] > 0.8)
        away = np.hypot(x - 0.0250 - clock[0], y + 0.0215 - clock[1])
        mark = ring(away, 0.0042, 0.0006) + digits(x - 0.0250 - clock[0], y + 0.0215 - clock[1], "26", 0.0034)
        mark = np.clip(mark, 0, 1) * on_plate
        colour = colour * (1 - 0.38 * mark)[:, None]
        bump = rough * (0.085 * (1 - 0.8 * machined))[:, None]
        return Look(
            np.clip(colour, 0.01, 1).astype(np.float32),
            even(0.42, x),
            (0.72 - 0.25 * machined).astype(np.float32),
            bump.astype(np.float32),
        )

    return coat
