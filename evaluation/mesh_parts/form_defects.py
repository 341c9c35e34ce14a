"""Defects of form alone: the coat stays as it was."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from evaluation.mesh_parts.blank import Blank, Spoilt, between, pick
from evaluation.mesh_parts.body import Flaw
from evaluation.mesh_parts.mesh import refined


def _pressed(blank: Blank, rng: Generator, radius: float, depth: float) -> Spoilt:
    """A smooth, slightly oval hollow (depth above 0) or hill, metres."""
    place = pick(blank, rng, 0.6 * radius)
    mesh = refined(blank.body.mesh, place.at, 1.5 * radius, radius / 10)
    u, v, above = place.local(mesh.rest)
    square = (u**2 + (v / rng.uniform(0.75, 1.0)) ** 2) / radius**2
    shape = np.clip(1 - square, 0, 1) ** 2 * np.clip(1.35 - np.abs(above) / (0.9 * radius), 0, 1)
    return Spoilt(mesh.moved(-depth * shape[:, None] * place.axes[2]), blank.body.coat)


def dent(blank: Blank, rng: Generator, severity: float) -> Spoilt:
    """A smooth hollow, 2.4 to 4.5 mm deep."""
    radius = blank.scale * between(0.0060, 0.0110, severity) * rng.uniform(0.9, 1.1)
    return _pressed(blank, rng, radius, blank.scale * between(0.0024, 0.0045, severity))


def bump(blank: Blank, rng: Generator, severity: float) -> Spoilt:
    """A smooth swelling, 2.4 to 4.5 mm high."""
    radius = blank.scale * between(0.0055, 0.0100, severity) * rng.uniform(0.9, 1.1)
    return _pressed(blank, rng, radius, -blank.scale * between(0.0024, 0.0045, severity))


def warp(blank: Blank, rng: Generator, severity: float) -> Spoilt:
    """One side bent up along a crease, 7 to 12 mm at its edge."""
    mesh, angle = blank.body.mesh, rng.uniform(0, 2 * np.pi)
    along = mesh.rest[:, 0] * np.cos(angle) + mesh.rest[:, 1] * np.sin(angle)
    end = float(along.max())
    start = end * rng.uniform(0.35, 0.5)
    share = np.clip((along - start) / (end - start), 0, 1) ** 1.3
    offset = np.zeros_like(mesh.rest)
    offset[:, 2] = blank.scale * between(0.0070, 0.0120, severity) * share
    return Spoilt(mesh.moved(offset), blank.body.coat)


def bent(blank: Blank, rng: Generator, severity: float) -> Spoilt:
    """A rib, boss or pin that leans."""
    body = blank.rebuilt(Flaw("bent", rng.random()))
    return Spoilt(body.mesh, body.coat)
