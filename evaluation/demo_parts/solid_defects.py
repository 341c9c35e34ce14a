"""Defects that both the camera and the scanner see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.random import Generator
from scipy import ndimage

from evaluation.demo_parts.blank import (
    Blank,
    Site,
    Spoilt,
    between,
    blob,
    pick_edge,
    pick_site,
    reshaped,
    stroke,
)
from evaluation.demo_parts.fields import Field, blurred, smooth_noise
from evaluation.demo_parts.relief import Grid, Relief, linear, mix, ramp


def hole(blank: Blank, rng: Generator, severity: float) -> Spoilt:
    """A round hole, 1.5 to 3.5 mm in radius: drilled, pierced or eaten; its wall shows the inner colour."""
    relief, grid = blank.relief, blank.relief.grid
    radius = between(0.0015, 0.0033, severity)
    weight = blob(grid, rng, pick_site(relief, rng, 1.6 * radius), radius, ragged=0.08)
    lip = np.asarray(ndimage.grey_dilation(weight, size=5)) - weight
    left = between(0.45, 0.10, severity)
    spoilt = reshaped(relief, relief.height * (1 - (1 - left) * weight))
    colour = mix(relief.albedo, relief.material.inner, 0.7 * lip * relief.body)
    colour = mix(colour, relief.material.inner * 0.22, ramp(weight - 0.55, 0.4))
    return Spoilt(replace(spoilt, albedo=colour), (weight > 0.25) & relief.body)


def cut(blank: Blank, rng: Generator, severity: float) -> Spoilt:
    """A knife cut, 10 to 30 mm long and 1.2 to 3.5 mm deep, open to the inner colour."""
    relief = blank.relief
    width = between(0.0011, 0.0022, severity)
    away = stroke(relief.grid, rng, pick_site(relief, rng, 0.005), between(0.010, 0.028, severity))
    opened = ramp(width / 2 - away, 0.0010)
    depth = between(0.0013, 0.0036, severity)
    spoilt = reshaped(relief, np.maximum(relief.height - depth * opened, 0.3 * relief.height))
    colour = mix(relief.albedo, relief.material.inner, 0.75 * opened * relief.body)
    colour = mix(colour, relief.material.inner * 0.3, 0.7 * ramp(width / 6 - away, 0.0008) * relief.body)
    return Spoilt(replace(spoilt, albedo=colour), (away < width / 2 + 0.0003) & relief.body)


def chipped_edge(blank: Blank, rng: Generator, severity: float) -> Spoilt:
    """A piece broken out of the outer edge, 5 to 11 mm in radius; the break shows the inner colour."""
    relief = blank.relief
    radius = between(0.0050, 0.0105, severity)
    gone = blob(relief.grid, rng, pick_edge(relief, rng), radius, ragged=0.30)
    crumbs = 1 + 0.25 * smooth_noise(rng, relief.grid.shape, relief.grid.cells(0.002))
    keep = np.clip(1 - ramp(gone - 0.45, 0.5), 0, 1)
    rough = relief.height * np.where(keep < 0.95, keep * np.clip(crumbs, 0, 1), 1)
    height = np.where(gone > 0.85, 0, rough).astype(np.float32)
    broken = ramp(gone - 0.25, 0.4) * relief.body
    colour = mix(relief.albedo, relief.material.inner, (0.85 * broken).astype(np.float32))
    spoilt = replace(relief, height=height, albedo=colour)
    return Spoilt(spoilt, (gone > 0.25) & relief.body)


def missing(blank: Blank, rng: Generator, severity: float) -> Spoilt:
    """A feature that was not made, or not to the end: a bolt hole, a rib, a boss, a strand."""
    good, bad = blank.relief, blank.without_feature(rng.random())
    changed = np.abs(good.height - bad.height) > 0.0006
    return Spoilt(bad, np.asarray(ndimage.binary_opening(changed), bool))


def foreign_body(blank: Blank, rng: Generator, severity: float) -> Spoilt:
    """Something that does not belong there: a pebble, a shard of plastic, a bit of wire."""
    relief, grid = blank.relief, blank.relief.grid
    make = BODIES[int(rng.integers(len(BODIES)))]
    site = pick_site(relief, rng, 0.005)
    size = between(0.0026, 0.0050, severity)
    top, colour, gloss = make(grid, rng, site, size)
    solid = (top > 0) & relief.body
    base = float(np.median(relief.height[solid]))
    height = np.where(solid, np.maximum(relief.height, base + top), relief.height).astype(np.float32)
    seen = blurred(((height > relief.height) & solid).astype(np.float32), 0.7)
    albedo = mix(relief.albedo, colour, np.clip(1.4 * seen, 0, 1))
    shine = relief.gloss + (gloss - relief.gloss) * seen
    spoilt: Relief = replace(relief, height=height, albedo=albedo, gloss=shine.astype(np.float32))
    return Spoilt(spoilt, seen > 0.4)


Body = tuple[Field, Field, float]
"""Its height above the surface (rows, cols) in metres, 0 outside; its colour (rows, cols, 3); its gloss."""


def _pebble(grid: Grid, rng: Generator, site: Site, size: float) -> Body:
    away = np.hypot(grid.x - site[0], (grid.y - site[1]) * rng.uniform(1.0, 1.4))
    lumpy = size * (1 + 0.12 * smooth_noise(rng, grid.shape, grid.cells(size)))
    top = 0.9 * size * np.sqrt(np.clip(1 - (away / lumpy) ** 2, 0, 1))
    tone = linear("#7d7a72") * rng.uniform(0.6, 1.3)
    grain = 1 + 0.12 * smooth_noise(rng, grid.shape, 2.5)
    return top.astype(np.float32), (grain[..., None] * tone).astype(np.float32), 0.05


def _shard(grid: Grid, rng: Generator, site: Site, size: float) -> Body:
    turn = rng.uniform(0, np.pi)
    dx, dy = grid.x - site[0], grid.y - site[1]
    u, v = dx * np.cos(turn) + dy * np.sin(turn), dy * np.cos(turn) - dx * np.sin(turn)
    inside = np.minimum(0.9 * size - np.abs(v) - 0.35 * u, 1.3 * size - np.abs(u))
    slant = 0.0022 + 0.15 * (u + v)
    top = np.clip(slant, 0.0012, 0.004) * ramp(inside - 0.0003, 0.0008)
    colours = ("#1f5fb0", "#d8dadb", "#2b8a4a", "#c03a2b")
    colour = linear(colours[int(rng.integers(len(colours)))])
    return top.astype(np.float32), np.broadcast_to(colour, (*grid.shape, 3)), 0.25


def _wire(grid: Grid, rng: Generator, site: Site, size: float) -> Body:
    away = stroke(grid, rng, site, 4.0 * size)
    thick = 0.0010
    top = thick * (0.9 + np.sqrt(np.clip(1 - (away / thick) ** 2, 0, 1))) * (away < thick)
    return top.astype(np.float32), np.broadcast_to(linear("#8f8d88"), (*grid.shape, 3)), 0.45


BODIES: tuple[Callable[[Grid, Generator, Site, float], Body], ...] = (_pebble, _shard, _wire)
