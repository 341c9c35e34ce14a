"""Defects of colour alone: the mesh stays as it was."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from evaluation.mesh_parts.blank import Blank, Spoilt, Stamp, between, pick
from evaluation.mesh_parts.body import Coat, Look, Spots, over
from evaluation.mesh_parts.grain import Grain, step
from evaluation.mesh_parts.mesh import Floats

Weight = Callable[[Spots], Floats]


def patch(place: Stamp, rng: Generator, radius: float, ragged: float, soft: float) -> Weight:
    """(N,) in [0, 1]: an irregular patch of about `radius` metres on the surface at `place`."""
    edge, fine = Grain(rng, 1.3 * radius), Grain(rng, 0.4 * radius)
    oval = rng.uniform(0.7, 1.0)

    def weight(spots: Spots) -> Floats:
        u, v, above = place.local(spots.at)
        away = np.hypot(u, v / oval) / radius
        limit = 1 + ragged * edge(spots.at) + 0.35 * ragged * fine(spots.at)
        return step(limit - away, soft) * step(1.3 * radius - np.abs(above), 0.4 * radius)

    return weight


def repainted(coat: Coat, change: Callable[[Spots, Look], Look]) -> Coat:
    return lambda spots: change(spots, coat(spots))


def stain(blank: Blank, rng: Generator, severity: float) -> Spoilt:
    """A drop of grease, rust or dye that soaked in, with a darker rim, 4 to 7.5 mm in radius."""
    radius = blank.scale * between(0.0040, 0.0075, severity)
    weight = patch(pick(blank, rng, 0.8 * radius), rng, radius, 0.16, 0.30)
    strength, soil = between(0.60, 0.82, severity), blank.body.soil

    def change(spots: Spots, look: Look) -> Look:
        soaked = weight(spots)
        rim = 4 * soaked * (1 - soaked)
        share = np.clip(strength * soaked * (0.86 + 0.3 * rim), 0, 1)
        colour = 0.5 * soil + 0.5 * np.minimum(2.2 * look.albedo * soil, 1)
        return Look(
            over(look.albedo, colour, share),
            look.metal * (1 - 0.7 * share),
            look.rough + 0.15 * share,
            look.bump,
        )

    return Spoilt(blank.body.mesh, repainted(blank.body.coat, change), lambda spots: weight(spots) > 0.3)


def tint(blank: Blank, rng: Generator, severity: float) -> Spoilt:
    """A wide region in a slightly wrong shade, 11 to 18 mm in radius: heat, light or a bad mixture."""
    radius = blank.scale * between(0.0110, 0.0180, severity)
    weight = patch(pick(blank, rng, 0.008 * blank.scale), rng, radius, 0.22, 0.35)
    shades = ([0.62, 0.50, 0.40], [0.55, 0.62, 0.72], [1.40, 1.42, 1.50])
    shade = np.array(shades[int(rng.integers(3))], np.float32) ** np.float32(between(1.0, 1.45, severity))

    def change(spots: Spots, look: Look) -> Look:
        colour = np.clip(look.albedo * shade, 0.01, 0.95)
        return Look(over(look.albedo, colour, weight(spots)), look.metal, look.rough, look.bump)

    return Spoilt(blank.body.mesh, repainted(blank.body.coat, change), lambda spots: weight(spots) > 0.3)


def print_missing(blank: Blank, rng: Generator, severity: float) -> Spoilt:
    """The print did not take, within 4.5 to 9 mm."""
    plain = blank.body.plain
    if plain is None:
        raise ValueError("this part has no print")

    def printed(spots: Spots) -> Floats:
        return np.abs(blank.body.coat(spots).albedo - plain(spots).albedo).max(axis=1)

    radius = blank.scale * between(0.0045, 0.0090, severity)
    place = pick(blank, rng, 0.0, only=printed(blank.seen.spots) > 0.25)
    weight = patch(place, rng, radius, 0.12, 0.25)

    def change(spots: Spots, look: Look) -> Look:
        bare, gone = plain(spots), weight(spots)
        return Look(
            over(look.albedo, bare.albedo, gone),
            look.metal,
            look.rough + (bare.rough - look.rough) * gone,
            look.bump,
        )

    def marks(spots: Spots) -> NDArray[np.bool_]:
        gone = weight(spots) > 0.5
        near = Spots(spots.at[gone], spots.normal[gone], spots.piece[gone])
        gone[gone] = printed(near) > 0.10
        return gone

    return Spoilt(blank.body.mesh, repainted(blank.body.coat, change), marks)
