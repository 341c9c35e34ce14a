"""The structured-light scanner: from true depths to the cloud such a device delivers."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from evaluation.demo_parts.fields import Field, smooth_noise
from evaluation.demo_parts.scene import Hits, Vectors
from evaluation.demo_parts.station import BASELINE_M, Shot

NOISE_M = 0.00006
"""Deviation of the depth on a matt surface that faces the scanner, at half a metre."""
DISPARITY_STEP = 1 / 24
"""Smallest difference in pixels that the decoder tells apart."""


def scan(shot: Shot, hits: Hits, lit: NDArray[np.bool_], rng: Generator) -> NDArray[np.float32]:
    """(rows, cols, 3) float32, metres, camera frame; exactly 0, 0, 0 where nothing came back.

    lit: (rows * cols,) bool, where the projector's pattern reaches the surface.
    """
    shape = (shot.rows, shot.cols)
    to_camera, to_projector = _unit(shot.camera, hits.point), _unit(shot.projector, hits.point)
    facing = (hits.normal * to_camera).sum(axis=1).reshape(shape)
    facing_light = (hits.normal * to_projector).sum(axis=1).reshape(shape)
    depth = hits.depth.reshape(shape)
    steep = np.sqrt(np.clip(1 / np.clip(facing, 0.15, 1) ** 2 - 1, 0, None))
    deviation = NOISE_M * (1 + 1.2 * steep) * (depth / 0.5) ** 2
    noise = 0.75 * rng.standard_normal(shape, dtype=np.float32) + 0.66 * smooth_noise(rng, shape, 4.0)
    measured = _quantised(depth + deviation * noise, shot.focal)
    half = _normalised(to_camera + to_projector)
    glare = hits.gloss * np.clip((hits.normal * half).sum(axis=1), 0, 1) ** 160
    lost = _lost(facing, facing_light, glare.reshape(shape), hits.absorb.reshape(shape), rng)
    lost |= ~lit.reshape(shape) | (_jump(depth) & (rng.random(shape) < 0.55))
    cloud = shot.directions().reshape(*shape, 3) * measured[..., None]
    return np.where(lost[..., None], 0, cloud).astype(np.float32)


def _lost(
    facing: Field, facing_light: Field, glare: Field, absorb: Field, rng: Generator
) -> NDArray[np.bool_]:
    """(rows, cols): where the pattern comes back too weak (grazing, dark) or too strong (shiny) to decode."""
    shape = facing.shape
    blotches = 0.7 * smooth_noise(rng, shape, 7.0) + 0.7 * rng.standard_normal(shape, dtype=np.float32)
    weak = np.minimum(facing, facing_light)
    trouble = np.clip((0.34 - weak) / 0.22, 0, 1) * 4.5 + 4.6 * glare + 1.5 * absorb
    stray = rng.random(shape) < 0.0006
    return (trouble + 0.8 * blotches > 2.6) & (trouble > 0.25) | stray


def _quantised(depth: Field, focal: float) -> Field:
    """Depth in the steps that a decoder with whole disparity steps can tell apart."""
    product = focal * BASELINE_M
    return product / (np.rint(product / depth.astype(np.float64) / DISPARITY_STEP) * DISPARITY_STEP)


def _jump(depth: Field) -> NDArray[np.bool_]:
    """(rows, cols): pixels that mix two surfaces more than 3 mm apart."""
    jump = np.zeros(depth.shape, bool)
    down, right = np.abs(np.diff(depth, axis=0)) > 0.003, np.abs(np.diff(depth, axis=1)) > 0.003
    jump[1:] |= down
    jump[:, 1:] |= right
    return jump


def _unit(target: NDArray[np.float64], point: Vectors) -> Vectors:
    return _normalised(target.astype(np.float32) - point)


def _normalised(vectors: Vectors) -> Vectors:
    return vectors / np.sqrt((vectors**2).sum(axis=1, keepdims=True))
