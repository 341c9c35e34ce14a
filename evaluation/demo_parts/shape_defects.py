"""Defects of form alone: the colours stay; the camera sees only what soft light makes of the slopes."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from evaluation.demo_parts.blank import Blank, Spoilt, between, mound, pick_site, reshaped
from evaluation.demo_parts.fields import Field, blurred
from evaluation.demo_parts.relief import Relief

VISIBLE_M = 0.0004
"""A change of height smaller than this is not marked."""


def _moved(relief: Relief, height: Field) -> Spoilt:
    spoilt = reshaped(relief, height)
    return Spoilt(spoilt, np.abs(spoilt.height - relief.height) > VISIBLE_M)


def dent(blank: Blank, rng: Generator, severity: float) -> Spoilt:
    """A smooth hollow, 2.4 to 4.5 mm deep."""
    relief = blank.relief
    radius = between(0.006, 0.011, severity) * rng.uniform(0.9, 1.1)
    depth = between(0.0024, 0.0045, severity)
    hollow = mound(relief.grid, rng, pick_site(relief, rng, 0.6 * radius), radius)
    return _moved(relief, np.maximum(relief.height - depth * hollow, 0.35 * relief.height))


def bump(blank: Blank, rng: Generator, severity: float) -> Spoilt:
    """A smooth swelling, 2.4 to 4.5 mm high."""
    relief = blank.relief
    radius = between(0.0055, 0.010, severity) * rng.uniform(0.9, 1.1)
    hill = mound(relief.grid, rng, pick_site(relief, rng, 0.6 * radius), radius)
    return _moved(relief, relief.height + between(0.0024, 0.0045, severity) * hill)


def warp(blank: Blank, rng: Generator, severity: float) -> Spoilt:
    """One side of the part bent up along a crease, 7 to 12 mm at its edge."""
    relief, grid = blank.relief, blank.relief.grid
    angle = rng.uniform(0, 2 * np.pi)
    along = grid.x * np.cos(angle) + grid.y * np.sin(angle)
    end = float(np.quantile(along[relief.body], 0.998))
    start = end * rng.uniform(0.45, 0.60)
    bent = np.clip((along - start) / (end - start), 0, 1.1) ** 1.15
    sure = np.clip(relief.height / 0.004, 0, 1)
    return _moved(relief, relief.height + between(0.0070, 0.0120, severity) * bent * sure)


def crush(blank: Blank, rng: Generator, severity: float) -> Spoilt:
    """Relief pressed flat over 8 to 14 mm: what stood out is now level with what lay deep."""
    relief, grid = blank.relief, blank.relief.grid
    radius = between(0.008, 0.013, severity)
    press = np.clip(1.6 * mound(grid, rng, pick_site(relief, rng, 0.6 * radius), radius), 0, 1)
    level = blurred(relief.height, grid.cells(0.004)) - between(0.0008, 0.0022, severity)
    pressed = np.minimum(relief.height, np.maximum(level, 0.4 * relief.height))
    return _moved(relief, relief.height + (pressed - relief.height) * press)
