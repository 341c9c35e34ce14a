"""The colour camera: soft light on the part and the table, then lens, sensor and 8 bits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from evaluation.demo_parts.fields import Field, blurred, smooth_noise
from evaluation.demo_parts.keys import PartKey, stream
from evaluation.demo_parts.products import Product
from evaluation.demo_parts.relief import linear
from evaluation.demo_parts.scene import Hits, Vectors
from evaluation.demo_parts.station import Shot

TABLE_CELL_M = 0.0005
TABLE_CELLS = 640
"""A side of the table that the camera may see."""
SKY_SHARE = 0.66
"""Light from all around; the rest comes from one wide lamp."""


@dataclass(frozen=True)
class Light:
    """lamp: (3,), part frame. tone: (3,), gain by colour. boxes: (B, 3), soft boxes that metal mirrors."""

    lamp: Field
    tone: Field
    boxes: Field

    @classmethod
    def of(cls, product: Product, key: PartKey, shot: Shot) -> Light:
        """The product's lamps; their brightness and tone drift a little from part to part."""
        fixed, drift = stream(key.seed, product.name, "lamps"), key.stream("lamps")
        angle = fixed.uniform(0, 2 * np.pi)
        boxes = [_slant(angle, 0.45), _slant(angle + 2.2, 0.7), _slant(angle + 4.1, 0.6)]
        turned = np.stack([_into_part(box, shot) for box in boxes]).astype(np.float32)
        tone = 0.98 * drift.normal(1, 0.025) * (1 + drift.normal(0, 0.008, 3))
        return cls(turned[0], tone.astype(np.float32), turned)


def _slant(angle: float, slope: float) -> NDArray[np.float64]:
    vector = np.array([slope * np.cos(angle), slope * np.sin(angle), 1.0])
    return vector / np.sqrt((vector**2).sum())


def _into_part(vector: NDArray[np.float64], shot: Shot) -> NDArray[np.float64]:
    back = shot.to_table[:, :2].T
    return np.array([back[0] @ vector[:2], back[1] @ vector[:2], vector[2]])


class Table:
    """The support: a matt sheet with a little grain, fixed for a product's station."""

    def __init__(self, product: Product, key: PartKey) -> None:
        rng = stream(key.seed, product.name, "table")
        side = (TABLE_CELLS, TABLE_CELLS)
        grain = 0.05 * smooth_noise(rng, side, 2.2) + 0.05 * smooth_noise(rng, side, 60.0)
        self._albedo = (linear(product.table) * (1 + grain)[..., None]).astype(np.float32)

    def albedo(self, shot: Shot, point: Vectors) -> Vectors:
        """(N, 3) at points in the part frame."""
        place = shot.to_table.astype(np.float32)
        x = point[:, 0] * place[0, 0] + point[:, 1] * place[0, 1] + place[0, 2]
        y = point[:, 0] * place[1, 0] + point[:, 1] * place[1, 1] + place[1, 2]
        middle = TABLE_CELLS / 2
        row, col = ((middle + along / TABLE_CELL_M).astype(np.intp) % TABLE_CELLS for along in (y, x))
        return self._albedo[row, col]


def shade(hits: Hits, lamp_seen: Field, table: Table, light: Light, shot: Shot) -> Vectors:
    """(N, 3) linear light toward the camera. lamp_seen: (N,), share of the lamp that the part leaves."""
    albedo = np.where(hits.on_part[:, None], hits.albedo, table.albedo(shot, hits.point))
    facing = np.clip((hits.normal * light.lamp).sum(axis=1), 0, 1) / light.lamp[2]
    sky = (0.62 + 0.38 * hits.normal[:, 2]) * hits.openness
    matt = albedo * (SKY_SHARE * sky + (1 - SKY_SHARE) * facing * lamp_seen)[:, None]
    gloss = hits.gloss[:, None]
    mirrored = _mirrored(hits, light, shot)[:, None]
    tinted = mirrored * (0.25 + 0.75 * albedo / np.maximum(albedo.max(axis=1, keepdims=True), 1e-3))
    return ((1 - 0.55 * gloss) * matt + 0.5 * gloss * tinted * hits.openness[:, None]) * light.tone


def _mirrored(hits: Hits, light: Light, shot: Shot) -> Field:
    """(N,) brightness of the surroundings where a mirror at each hit would look."""
    view = hits.point - shot.camera.astype(np.float32)
    view /= np.sqrt((view**2).sum(axis=1, keepdims=True))
    bounce = view - 2 * (view * hits.normal).sum(axis=1, keepdims=True) * hits.normal
    room = 0.28 + 0.30 * np.clip(bounce[:, 2], 0, 1)
    for box, power in zip(light.boxes, (1.5, 0.8, 0.6), strict=True):
        room = room + power * np.clip((bounce * box).sum(axis=1), 0, 1) ** 32
    return room.astype(np.float32)


def develop(image: Field, rng: Generator) -> NDArray[np.uint8]:
    """(rows, cols, 3) linear -> uint8 sRGB, with the lens' softness and fall-off and the sensor's noise."""
    rows, cols = image.shape[:2]
    y, x = np.linspace(-1, 1, rows)[:, None], np.linspace(-1, 1, cols)[None, :]
    image = blurred(image, 0.55) * (1 - 0.07 * (x**2 + y**2))[..., None]
    noise = rng.standard_normal(image.shape, dtype=np.float32)
    image = np.clip(image + noise * np.sqrt(1.2e-5 + 1.6e-4 * np.clip(image, 0, 1)), 0, 1)
    encoded = np.where(
        image <= 0.0031308, 12.92 * image, 1.055 * np.maximum(image, 1e-6) ** (1 / 2.4) - 0.055
    )
    return np.rint(255 * np.clip(encoded, 0, 1)).astype(np.uint8)
