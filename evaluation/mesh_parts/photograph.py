"""The colour camera: lamps and room on coats, highlights, then the lens, a mosaic sensor and 8 bits."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage

from evaluation.mesh_parts.body import Look
from evaluation.mesh_parts.lighting import Light
from evaluation.mesh_parts.mesh import Floats
from evaluation.mesh_parts.scene import Hits
from evaluation.mesh_parts.station import Station
from evaluation.mesh_parts.vectors import dot, unit

ROOM = 0.30
"""Light from all around, as a share of what a white sheet gets."""
FULL_WELL = 9000.0
"""Electrons at the brightest value."""
READ_NOISE = 6.0
"""Electrons."""


def shade(hits: Hits, look: Look, light: Light, station: Station) -> Floats:
    """(N, 3) float32 linear light toward the camera."""
    normal = unit(hits.normal + look.bump)
    to_camera = unit(station.camera.astype(np.float32) - hits.point)
    around = ROOM * (0.55 + 0.45 * normal[:, 2]) * light.room
    diffuse = np.repeat(around[:, None], 3, axis=1).astype(np.float32)
    mirrored = np.repeat((_room(normal, to_camera, look) * light.room)[:, None], 3, axis=1)
    shine = 2 / np.maximum(look.rough, 0.15) ** 4 - 2
    for lamp, seen in zip(station.lamps, light.lamps, strict=True):
        way = lamp.at.astype(np.float32) - hits.point
        square = dot(way, way)
        way = way / np.sqrt(square)[:, None]
        facing = np.clip(dot(normal, way), 0, 1) * seen * np.float32((lamp.at**2).sum()) / square
        lit = facing[:, None] * lamp.light.astype(np.float32)
        diffuse = diffuse + lit
        # A lamp of some size has a wider highlight than a point.
        size = lamp.radius / np.sqrt((lamp.at**2).sum())
        power = 1 / (1 / np.maximum(shine, 1) + 0.4 * size**2)
        half = np.clip(dot(normal, unit(way + to_camera)), 0, 1)
        mirrored = mirrored + lit * (((power + 8) / 8) * half**power)[:, None]
    bare = 0.04 + 0.5 * (1 - np.clip(dot(normal, to_camera), 0, 1)) ** 5 * (1 - look.rough)
    share = look.metal[:, None]
    reflect = share * look.albedo + (1 - share) * bare[:, None]
    return ((1 - share) * look.albedo * diffuse + reflect * mirrored).astype(np.float32)


def _room(normal: Floats, to_camera: Floats, look: Look) -> Floats:
    """(N,): what a mirror would show of the room: a bright ceiling, darker walls, brighter to one side."""
    bounce = 2 * dot(normal, to_camera)[:, None] * normal - to_camera
    sharp = (1 - look.rough) ** 0.5
    ceiling = 0.46 + sharp * (0.34 * (bounce[:, 2] - 0.35) + 0.10 * bounce[:, 0] - 0.06 * bounce[:, 1])
    return np.clip(ceiling, 0.03, 2)


def develop(image: Floats, station: Station, rng: Generator) -> NDArray[np.uint8]:
    """(rows, cols, 3) linear -> uint8 sRGB. Exposure and white balance drift by about two per cent."""
    rows, cols = image.shape[:2]
    rays = station.rays()
    fall_off = (1 / dot(rays, rays)).reshape(rows, cols) ** 2 * _barrel(rows, cols)
    gain = rng.normal(1, 0.02) * (1 + rng.normal(0, 1, 3) * np.array([0.012, 0.0, 0.012]))
    soft = ndimage.gaussian_filter(image, (0.6, 0.6, 0), truncate=3.0) * fall_off[..., None]
    raw = _mosaic(soft)
    electrons = FULL_WELL * np.clip(raw, 0, 1.5)
    electrons += rng.standard_normal(raw.shape, dtype=np.float32) * np.sqrt(electrons + READ_NOISE**2)
    raw = np.clip(np.rint(electrons / FULL_WELL * 4095) / 4095, 0, 1)
    colour = np.clip(_demosaiced(raw.astype(np.float32)) * gain.astype(np.float32), 0, 1)
    encoded = np.where(
        colour > 0.0031308, 1.055 * np.maximum(colour, 1e-6) ** (1 / 2.4) - 0.055, 12.92 * colour
    )
    return np.rint(255 * np.clip(encoded, 0, 1)).astype(np.uint8)


def _barrel(rows: int, cols: int) -> Floats:
    """(rows, cols): light that the lens's barrel takes away."""
    y, x = np.linspace(-1, 1, rows)[:, None], np.linspace(-1, 1, cols)[None, :]
    return (1 - 0.055 * (x**2 + y**2)).astype(np.float32)


def _mosaic(image: Floats) -> Floats:
    """(rows, cols): one colour a pixel, in the order R G / G B."""
    raw = image[..., 1].copy()
    raw[::2, ::2] = image[::2, ::2, 0]
    raw[1::2, 1::2] = image[1::2, 1::2, 2]
    return raw


def _demosaiced(raw: Floats) -> Floats:
    """(rows, cols, 3): missing colours are the means of the neighbours that have them."""
    cross = np.array([[0, 1, 0], [1, 4, 1], [0, 1, 0]], np.float32) / 4
    square = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]], np.float32) / 4
    planes = []
    for colour, kernel in enumerate((square, cross, square)):
        mine = np.zeros(raw.shape, np.float32)
        places = {0: ((0, 0),), 1: ((0, 1), (1, 0)), 2: ((1, 1),)}[colour]
        for row, col in places:
            mine[row::2, col::2] = raw[row::2, col::2]
        planes.append(ndimage.convolve(mine, kernel, mode="mirror"))
    return np.stack(planes, axis=-1)
