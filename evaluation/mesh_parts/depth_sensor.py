"""The stereo sensor: a projected pattern, matched by a camera; from true depths to the cloud it delivers."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage

from evaluation.mesh_parts.body import Look
from evaluation.mesh_parts.mesh import Floats
from evaluation.mesh_parts.scene import Hits
from evaluation.mesh_parts.station import Station
from evaluation.mesh_parts.vectors import dot, unit

MATCH_NOISE = 0.045
"""Deviation of the disparity in pixels, on a light matt surface that faces camera and projector."""
STEP = 1 / 32
"""Pixels of disparity that the matcher tells apart."""
EDGE = 0.006
"""A step of depth, as a share of the distance, at which pixels show a mixture and are dropped."""


def measure(
    station: Station, hits: Hits, look: Look, lit: NDArray[np.bool_], rng: Generator
) -> NDArray[np.float32]:
    """(rows, cols, 3) float32, metres, camera frame; exactly 0, 0, 0 where nothing was matched.

    lit: (N,) whether the projector's pattern arrives.
    """
    shape = (station.rows, station.cols)
    to_camera = unit(station.camera.astype(np.float32) - hits.point)
    to_projector = unit(station.projector.astype(np.float32) - hits.point)
    seen = np.clip(dot(hits.normal, to_camera), 0.02, 1)
    arriving = np.clip(dot(hits.normal, to_projector), 0, 1)
    grey = look.albedo.mean(axis=1)
    # A metal sends most of the pattern elsewhere, unless the mirror image of the projector is seen.
    signal = arriving * (0.06 + grey) * (1 - 0.65 * look.metal * (1 - look.rough))
    shine = 2 / np.maximum(look.rough, 0.25) ** 4
    glare = (
        (0.3 + 0.7 * look.metal)
        * (1 - look.rough)
        * np.clip(dot(hits.normal, unit(to_camera + to_projector)), 0, 1) ** shine
    )
    slant = np.sqrt(1 / seen**2 - 1)
    deviation = MATCH_NOISE * (1 + 0.9 * slant) * np.sqrt(0.5 / np.clip(signal, 0.05, 0.8))
    span = station.focal * np.sqrt(((station.projector - station.camera) ** 2).sum())
    disparity = (span / hits.depth).reshape(shape)
    noise = _matched(rng, shape)
    steps = np.rint((disparity + deviation.reshape(shape) * noise) / STEP)
    depth = span / (steps.astype(np.float64) * STEP)
    lost = _lost(signal.reshape(shape), glare.reshape(shape), seen.reshape(shape), rng)
    lost |= ~lit.reshape(shape) | _mixed(hits.depth.reshape(shape), station)
    lost |= ndimage.binary_opening(~lost, np.ones((2, 2))) == 0  # lone matches are no matches
    cloud = station.rays().reshape(*shape, 3) * depth[..., None]
    return np.where(lost[..., None], 0, cloud).astype(np.float32)


def _matched(rng: Generator, shape: tuple[int, int]) -> Floats:
    """(rows, cols) float32, deviation 1: neighbours share much of their matching window."""
    white = rng.standard_normal(shape, dtype=np.float32)
    soft = ndimage.gaussian_filter(white, 1.1)
    return (0.9 * soft / soft.std() + 0.44 * rng.standard_normal(shape, dtype=np.float32)).astype(np.float32)


def _lost(signal: Floats, glare: Floats, seen: Floats, rng: Generator) -> NDArray[np.bool_]:
    """(rows, cols): too weak, too bright or too slanted to match."""
    shape = signal.shape
    blotch = ndimage.gaussian_filter(rng.standard_normal(shape, dtype=np.float32), 2.0)
    luck = 0.5 * blotch / blotch.std() + 0.5 * rng.standard_normal(shape, dtype=np.float32)
    weak = np.clip((0.045 - signal) / 0.03, -1, 1.5)
    slanted = np.clip((0.24 - seen) / 0.10, -1, 1.5)
    bright = np.clip((glare - 0.36) / 0.10, -1, 1.5)
    trouble = np.maximum(np.maximum(weak, slanted), bright)
    return (trouble + 0.35 * luck > 0.3) & (trouble > -0.8) | (rng.random(shape) < 0.0004)


def _mixed(depth: Floats, station: Station) -> NDArray[np.bool_]:
    """(rows, cols): pixels beside a step of depth."""
    step = ndimage.maximum_filter(depth, 3) - ndimage.minimum_filter(depth, 3)
    return np.asarray(step > EDGE * float(np.sqrt((station.camera**2).sum())))
