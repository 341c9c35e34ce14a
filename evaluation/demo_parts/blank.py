"""A good part about to be spoilt: where a defect can go and the shapes it is drawn with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator
from scipy import ndimage

from evaluation.demo_parts.fields import Field, blurred, smooth_noise
from evaluation.demo_parts.relief import PITCH_M, Grid, Mask, Relief, ramp

Site = tuple[float, float]
"""x, y in the part's frame, metres."""


@dataclass(frozen=True)
class Blank:
    """A good part, and how to make the same part again without one of its features."""

    relief: Relief
    without_feature: Callable[[float], Relief]
    """Takes a choice in [0, 1)."""


@dataclass(frozen=True)
class Spoilt:
    """A part with a defect. mask: (rows, cols) bool, the cells the defect touches."""

    relief: Relief
    mask: Mask


def pick_site(relief: Relief, rng: Generator, clearance: float, steepest: float = 0.9) -> Site:
    """A place on the part, not too steep, `clearance` metres from its edges (less if the part is slim)."""
    inner = np.asarray(ndimage.distance_transform_edt(relief.body)) * PITCH_M
    soft = blurred(relief.height, 2)
    down, right = np.gradient(soft, PITCH_M)
    slope = np.hypot(down, right)
    room = np.where(slope < steepest, inner, 0)
    fits = room >= min(clearance, 0.7 * float(room.max()))
    cell = rng.choice(np.flatnonzero(fits))
    return float(relief.grid.x.flat[cell]), float(relief.grid.y.flat[cell])


def pick_edge(relief: Relief, rng: Generator) -> Site:
    """A place on the outer edge of the part."""
    filled = np.asarray(ndimage.binary_fill_holes(relief.body), bool)
    cell = rng.choice(np.flatnonzero(filled & ~np.asarray(ndimage.binary_erosion(filled), bool)))
    return float(relief.grid.x.flat[cell]), float(relief.grid.y.flat[cell])


def blob(grid: Grid, rng: Generator, site: Site, radius: float, ragged: float = 0.25) -> Field:
    """(rows, cols) in [0, 1]: 1 well inside an irregular patch of about `radius` metres, 0 outside."""
    away = np.hypot(grid.x - site[0], grid.y - site[1])
    edge = smooth_noise(rng, grid.shape, max(grid.cells(radius), 3.0))
    return ramp(radius * (0.92 + ragged * edge) - away, 0.3 * radius)


def mound(grid: Grid, rng: Generator, site: Site, radius: float) -> Field:
    """(rows, cols) in [0, 1]: a smooth, slightly oval hill that ends at about `radius` metres."""
    turn, oval = rng.uniform(0, np.pi), rng.uniform(0.75, 1.0)
    dx, dy = grid.x - site[0], grid.y - site[1]
    u = dx * np.cos(turn) + dy * np.sin(turn)
    v = (dy * np.cos(turn) - dx * np.sin(turn)) / oval
    warp = 1 + 0.10 * smooth_noise(rng, grid.shape, grid.cells(radius))
    return (np.clip(1 - (u**2 + v**2) * warp / radius**2, 0, 1) ** 2).astype(np.float32)


def stroke(grid: Grid, rng: Generator, site: Site, length: float, heading: float | None = None) -> Field:
    """(rows, cols) metres: distance to a slightly bent line of `length` with its middle at `site`."""
    angle = rng.uniform(0, 2 * np.pi) if heading is None else heading
    bend = rng.normal(0, 0.35)
    turns = angle + bend * np.linspace(-1, 1, 48)
    step = length / 47
    path = np.stack([np.cumsum(np.cos(turns)), np.cumsum(np.sin(turns))], axis=1) * step
    path += np.array(site) - path[24]
    away = np.full(grid.shape, np.inf, np.float32)
    for x, y in path.astype(np.float32):
        np.minimum(away, (grid.x - x) ** 2 + (grid.y - y) ** 2, out=away)
    return np.sqrt(away)


def reshaped(relief: Relief, height: Field) -> Relief:
    """The same part with another height field; cells without a part stay empty."""
    return replace(relief, height=np.where(relief.height > 0, np.maximum(height, 0), 0).astype(np.float32))


def between(low: float, high: float, severity: float) -> float:
    """`low` for the finest defect, `high` for the coarsest."""
    return low + (high - low) * severity
