"""A walnut in its shell, 38 mm long: a seam, furrows along it, matt brown. No two are alike."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.random import Generator

from evaluation.mesh_parts.body import Body, Coat, Flaw, Look, Spots, even, linear, over
from evaluation.mesh_parts.grain import Grain
from evaluation.mesh_parts.mesh import Floats, Indices, Mesh
from evaluation.mesh_parts.shapes import globe

HALF = np.array([0.0190, 0.0162, 0.0150])
"""Half axes, metres; the seam runs around in the plane of x and z."""


def walnut(rng: Generator, flaw: Flaw | None = None) -> Body:
    """No features to leave out."""
    ways, triangles = _globe()
    at = ways * (HALF * rng.normal(1, 0.02, 3) * rng.normal(1, 0.02))
    lobes, furrows, fine = (
        Grain(rng, 0.016),
        Grain(rng, 0.0058, (2.2, 1.0, 1.0)),
        Grain(rng, 0.0022, (1.6, 1.0, 1.0)),
    )
    seam = np.exp(-((at[:, 1] / 0.0011) ** 2)) + 0.6 * np.exp(-((at[:, 1] / 0.0034) ** 2))
    valley = _valley(furrows(at), fine(at))
    out = 0.0005 * lobes(at) - 0.00050 * valley * (1 - 0.8 * np.clip(seam, 0, 1)) + 0.0009 * seam
    at = at * (1 + out / np.sqrt((at**2).sum(axis=1)))[:, None]
    at[:, 0] += 0.0014 * np.sign(at[:, 0]) * np.exp(-((at[:, 1] ** 2 + at[:, 2] ** 2) / 0.004**2))
    at[:, 2] -= at[:, 2].min() + 0.0003
    return Body(
        Mesh.of(at, triangles),
        _coat(rng, furrows, fine, HALF[2] - 0.0003),
        inner=linear("#e3c79a"),
        soil=linear("#1f1a16"),
    )


@lru_cache(maxsize=1)
def _globe() -> tuple[Floats, Indices]:
    ways, triangles = globe(180, 240)
    return ways[:, [2, 0, 1]], triangles  # the poles are the nut's ends


def _valley(furrows: Floats, fine: Floats) -> Floats:
    """1 at the bottom of a furrow, 0 on the ridges."""
    return np.exp(-((furrows / 0.38) ** 2)) + 0.35 * np.exp(-((fine / 0.35) ** 2))


def _coat(rng: Generator, furrows: Grain, fine: Grain, middle: float) -> Coat:
    cloud, dust = Grain(rng, 0.012), Grain(rng, 0.0005)
    tone = rng.normal(1, 0.05)

    def coat(spots: Spots) -> Look:
        centred = spots.at - np.array([0, 0, middle], np.float32)
        dark = _valley(furrows(centred), fine(centred))
        shade = tone * (1 + 0.10 * cloud(spots.at) + 0.05 * dust(spots.at))
        colour = over(linear("#c79b66"), linear("#7a5230"), np.clip(0.55 * dark, 0, 1).astype(np.float32))
        colour = colour * shade[:, None]
        bump = np.zeros_like(colour)
        bump[:, 0] = 0.05 * dust(spots.at[:, ::-1].copy())
        return Look(
            np.clip(colour, 0.01, 1).astype(np.float32),
            even(0, shade),
            even(0.78, shade),
            bump.astype(np.float32),
        )

    return coat
