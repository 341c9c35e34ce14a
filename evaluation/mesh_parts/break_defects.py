"""Defects that the camera and the depth sensor see."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from evaluation.mesh_parts.blank import Blank, Spoilt, Stamp, between, pick, pick_rim
from evaluation.mesh_parts.body import Coat, Flaw, Look, Spots, over
from evaluation.mesh_parts.grain import Grain, step
from evaluation.mesh_parts.mesh import Floats, refined
from evaluation.mesh_parts.paint_defects import Weight, repainted


def _opened(coat: Coat, weight: Weight, colour: Floats) -> Coat:
    """`colour` where the surface is broken open; it is rough and no metal's mirror."""

    def change(spots: Spots, look: Look) -> Look:
        share = weight(spots)
        return Look(
            over(look.albedo, colour, share),
            look.metal * (1 - 0.6 * share),
            look.rough + (0.8 - look.rough) * share,
            look.bump,
        )

    return repainted(coat, change)


def hole(blank: Blank, rng: Generator, severity: float) -> Spoilt:
    """A round hole, 1.5 to 3.3 mm in radius and as deep: drilled, pierced, or eaten by a worm."""
    radius = blank.scale * between(0.0015, 0.0033, severity)
    place, depth = pick(blank, rng, 1.6 * radius), 2.2 * radius

    def away(points: Floats) -> Floats:
        u, v, above = place.local(points)
        return np.where(np.abs(above) < 1.5 * radius, np.hypot(u, v), 9.0)

    mesh = refined(blank.body.mesh, place.at, 1.6 * radius, radius / 7)
    sunk = depth * step(0.92 * radius - away(mesh.rest), 0.22 * radius)
    coat = _opened(
        blank.body.coat,
        lambda spots: 0.9 * step(radius - away(spots.at), 0.25 * radius),
        0.35 * blank.body.inner,
    )
    return Spoilt(mesh.moved(-sunk[:, None] * place.axes[2]), coat, lambda spots: away(spots.at) < radius)


def _line(rng: Generator, length: float, bend: float, kinks: float) -> Floats:
    """(41, 2) metres: a line through 0, 0, bent and kinked."""
    turns = bend * np.linspace(-1, 1, 40) + np.cumsum(rng.normal(0, kinks, 40))
    turns -= turns[20]
    steps = np.stack([np.cos(turns), np.sin(turns)], axis=-1) * (length / 40)
    path = np.concatenate([np.zeros((1, 2)), np.cumsum(steps, axis=0)])
    return path - path[20]


def _from_line(place: Stamp, path: Floats, reach: float, points: Floats) -> Floats:
    """(N,) metres along the surface from the line; far where the point is not within `reach` of it."""
    u, v, above = place.local(points)
    half = float(np.abs(path).max()) + reach
    near = np.flatnonzero((np.abs(u) < half) & (np.abs(v) < half) & (np.abs(above) < reach))
    square = np.full(len(near), np.inf, np.float32)
    fine = np.stack([np.interp(np.arange(0, 40.01, 0.5), np.arange(41), axis) for axis in path.T], axis=-1)
    for x, y in fine.astype(np.float32):
        np.minimum(square, (u[near] - x) ** 2 + (v[near] - y) ** 2, out=square)
    away = np.full(len(points), 9.0, np.float32)
    away[near] = np.sqrt(square)
    return away


def _grooved(
    blank: Blank, rng: Generator, path: Floats, width: float, depth: float, colour: Floats
) -> Spoilt:
    """A groove along `path`, V-shaped; `colour` lies open in it."""
    place = pick(blank, rng, 0.005 * blank.scale)
    reach = 0.35 * float(np.abs(path).max()) + 2 * width

    def away(points: Floats) -> Floats:
        return _from_line(place, path, reach, points)

    mesh = refined(blank.body.mesh, place.at, float(np.abs(path).max()) + width, width / 3)
    sunk = depth * np.clip(1 - away(mesh.rest) / (0.62 * width), 0, 1)
    coat = _opened(blank.body.coat, lambda spots: 0.9 * step(width / 2 - away(spots.at), 0.4 * width), colour)
    return Spoilt(
        mesh.moved(-sunk[:, None] * place.axes[2]),
        coat,
        lambda spots: away(spots.at) < 0.5 * width + 0.0003 * blank.scale,
    )


def crack(blank: Blank, rng: Generator, severity: float) -> Spoilt:
    """A jagged crack, 10 to 28 mm long and 1.3 to 3.6 mm deep; dark inside."""
    path = _line(rng, blank.scale * between(0.010, 0.028, severity), rng.normal(0, 0.3), 0.14)
    width, depth = between(0.0011, 0.0020, severity), between(0.0013, 0.0036, severity)
    return _grooved(blank, rng, path, blank.scale * width, blank.scale * depth, 0.22 * blank.body.inner)


def scratch(blank: Blank, rng: Generator, severity: float) -> Spoilt:
    """A straight scratch, 12 to 26 mm long, that throws the fresh material open; 0.2 to 0.5 mm deep."""
    path = _line(rng, blank.scale * between(0.012, 0.026, severity), rng.normal(0, 0.15), 0.01)
    width, depth = between(0.0011, 0.0015, severity), between(0.0002, 0.0005, severity)
    return _grooved(blank, rng, path, blank.scale * width, blank.scale * depth, blank.body.inner)


def missing(blank: Blank, rng: Generator, severity: float) -> Spoilt:
    """A feature that was not made or broke off whole."""
    body = blank.rebuilt(Flaw("missing", rng.random()))
    return Spoilt(body.mesh, body.coat)


def broken(blank: Blank, rng: Generator, severity: float) -> Spoilt:
    """A piece broken out of the edge, 5 to 10 mm in radius; the break shows the inside."""
    radius = blank.scale * between(0.0050, 0.0100, severity)
    place, inward = pick_rim(blank, rng)
    rough = Grain(rng, 0.45 * radius)
    mesh = refined(blank.body.mesh, place.at, 1.3 * radius, radius / 9)

    def within(points: Floats) -> Floats:
        """(N,) metres inside the ball that is broken out; its skin is rough."""
        away = np.sqrt(((points - place.at.astype(np.float32)) ** 2).sum(axis=1))
        return radius * (1 + 0.10 * rough(points)) - away

    # Each point of the ball goes inward until it lies on the ball's far side.
    offset = mesh.rest - place.at.astype(np.float32)
    ahead = (offset * inward.astype(np.float32)).sum(axis=1)
    aside = np.clip((offset**2).sum(axis=1) - ahead**2, 0, None)
    ball = within(mesh.rest) + np.sqrt((offset**2).sum(axis=1))
    push = np.where(within(mesh.rest) > 0, np.sqrt(np.clip(ball**2 - aside, 0, None)) - ahead, 0)
    coat = _opened(
        blank.body.coat,
        lambda spots: 0.9 * step(within(spots.at) - 0.03 * radius, 0.08 * radius),
        blank.body.inner,
    )
    moved = mesh.moved(push[:, None] * inward)
    return Spoilt(moved, coat, lambda spots: within(spots.at) > 0)
