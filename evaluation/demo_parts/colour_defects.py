"""Defects that only the camera sees: the height, gloss and scan of the part stay as they were."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.random import Generator

from evaluation.demo_parts.blank import Blank, Spoilt, between, blob, pick_site, stroke
from evaluation.demo_parts.fields import Field, smooth_noise
from evaluation.demo_parts.relief import Mask, Relief, mix, ramp


def _painted(relief: Relief, colour: Field, weight: Field, mask: Mask) -> Spoilt:
    """`colour` over the part's own by `weight`; never over the table."""
    weight = weight * relief.body
    return Spoilt(replace(relief, albedo=mix(relief.albedo, colour, weight)), mask & relief.body)


def stain(blank: Blank, rng: Generator, severity: float) -> Spoilt:
    """A soaked-in spot of grease, rust or coffee, 4 to 8 mm in radius."""
    relief = blank.relief
    radius = between(0.0040, 0.0075, severity) * rng.uniform(0.9, 1.1)
    weight = blob(relief.grid, rng, pick_site(relief, rng, 0.8 * radius), radius)
    patchy = 1 + 0.25 * smooth_noise(rng, relief.grid.shape, relief.grid.cells(0.003))
    strength = between(0.62, 0.82, severity) * np.clip(patchy, 0.3, 1.4)
    # Soaking in multiplies: the part's own texture stays visible under the stain.
    soaked = 0.55 * relief.material.stain + 0.45 * relief.albedo * relief.material.stain * 2
    return _painted(relief, soaked, np.clip(weight * strength, 0, 1), weight > 0.3)


def tint(blank: Blank, rng: Generator, severity: float) -> Spoilt:
    """A wide region of the wrong shade: overheated, faded or badly mixed."""
    relief = blank.relief
    radius = between(0.011, 0.018, severity) * rng.uniform(0.9, 1.1)
    weight = blob(relief.grid, rng, pick_site(relief, rng, 0.008), radius, ragged=0.3)
    darker = rng.random() < 0.6
    change = np.array([0.55, 0.42, 0.36] if darker else [1.45, 1.55, 1.75], np.float32)
    change = change ** np.float32(between(1.20, 1.60, severity))
    return _painted(relief, np.clip(relief.albedo * change, 0.01, 1), weight, weight > 0.3)


def scratch(blank: Blank, rng: Generator, severity: float) -> Spoilt:
    """One to three near-parallel hairlines in paint or skin, 9 to 26 mm long, too shallow for the scanner."""
    relief = blank.relief
    length, width = between(0.012, 0.026, severity), between(0.0011, 0.0015, severity)
    site, heading = pick_site(relief, rng, 0.006), rng.uniform(0, 2 * np.pi)
    weight = np.zeros(relief.grid.shape, np.float32)
    for _ in range(1 + int(severity * 2.99)):
        start = (site[0] + rng.normal(0, 0.0018), site[1] + rng.normal(0, 0.0018))
        away = stroke(relief.grid, rng, start, length * rng.uniform(0.7, 1.0), heading + rng.normal(0, 0.1))
        weight = np.maximum(weight, ramp(width / 2 - away, 0.0008))
    broken = np.clip(1.1 + 0.4 * smooth_noise(rng, relief.grid.shape, relief.grid.cells(0.004)), 0.2, 1)
    light = np.clip(relief.material.inner * rng.uniform(0.9, 1.1), 0, 1)
    return _painted(relief, light, between(0.75, 1.0, severity) * weight * broken, weight > 0.3)


def speckle(blank: Blank, rng: Generator, severity: float) -> Spoilt:
    """A cluster of small spots: mould, soot, ink spray."""
    relief, grid = blank.relief, blank.relief.grid
    reach = between(0.006, 0.011, severity)
    site = pick_site(relief, rng, 0.006)
    weight = np.zeros(grid.shape, np.float32)
    for _ in range(round(between(8, 16, severity))):
        x, y = np.array(site) + rng.normal(0, 0.5 * reach, 2)
        size = rng.uniform(0.0008, 0.0016)
        weight = np.maximum(weight, ramp(size - np.hypot(grid.x - x, grid.y - y), 0.0009))
    return _painted(relief, relief.material.stain, between(0.6, 0.9, severity) * weight, weight > 0.3)
