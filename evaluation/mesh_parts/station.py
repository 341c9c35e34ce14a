"""Where camera, projector and lamps are, and how a part lies below them. The table's frame has z up."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.random import Generator

from evaluation.demo_parts.keys import PartKey, stream
from evaluation.mesh_parts.mesh import Floats, Mesh
from evaluation.mesh_parts.products import Product
from evaluation.mesh_parts.vectors import about_x, about_z, rotated

BASELINE = 0.26
"""Camera to projector, as a share of the camera's distance."""
DISTORTION = (-0.16, 0.05)
"""Of the lens: a ray at the tangent r from the axis is seen at r (1 + a r^2 + b r^4)."""


@dataclass(frozen=True)
class Lamp:
    """A round lamp that faces the table's middle. at: (3,) metres. radius: metres. light: (3,), what it
    gives a white sheet in the middle."""

    at: Floats
    radius: float
    light: Floats


@dataclass(frozen=True)
class Station:
    """camera, projector: (3,) metres. turn: (3, 3), camera frame (x right, y down, z ahead) -> table frame.
    focal: pixels."""

    camera: Floats
    projector: Floats
    turn: Floats
    focal: float
    rows: int
    cols: int
    lamps: tuple[Lamp, ...]

    def rays(self, offset: Floats | tuple[float, float] = (0.0, 0.0)) -> Floats:
        """(rows * cols, 3) float32, camera frame, 1 along z, of the pixels' middles plus `offset` pixels."""
        return _rays(self.rows, self.cols, round(self.focal, 6), float(offset[0]), float(offset[1]))

    def into_table(self, vectors: Floats) -> Floats:
        return rotated(vectors, self.turn)


@lru_cache(maxsize=12)
def _rays(rows: int, cols: int, focal: float, right: float, down: float) -> Floats:
    """Undoes the lens's distortion by a fixed-point iteration."""
    x = (np.arange(cols) - (cols - 1) / 2 + right) / focal
    y = (np.arange(rows) - (rows - 1) / 2 + down) / focal
    x, y = (axis.ravel() for axis in np.meshgrid(x, y))
    seen = x**2 + y**2
    shrunk = np.ones_like(seen)
    for _ in range(8):
        square = seen / shrunk**2
        shrunk = 1 + DISTORTION[0] * square + DISTORTION[1] * square**2
    return np.column_stack([x / shrunk, y / shrunk, np.ones_like(x)]).astype(np.float32)


def station(product: Product, key: PartKey) -> Station:
    """The product's station; from part to part the camera sits still within some micrometres."""
    fixed = stream(key.seed, product.name, "mesh station")
    shaken = key.stream("shake")
    tilt, toward = np.radians(product.tilt) * fixed.uniform(0.85, 1.15), fixed.uniform(0, 2 * np.pi)
    distance = product.distance * (1 + shaken.normal(0, 0.0005))
    ahead = -np.array([np.sin(tilt) * np.cos(toward), np.sin(tilt) * np.sin(toward), np.cos(tilt)])
    camera = -distance * ahead
    right = np.array([1.0, 0.0, 0.0]) - ahead[0] * ahead
    right /= np.sqrt((right**2).sum())
    turn = np.column_stack([right, np.cross(ahead, right), ahead])
    side = -1.0 if fixed.random() < 0.5 else 1.0
    return Station(
        camera=camera,
        projector=camera + side * BASELINE * product.distance * right,
        turn=turn,
        focal=product.cols * product.distance / product.field,
        rows=product.rows,
        cols=product.cols,
        lamps=_lamps(fixed, product.distance),
    )


def _lamps(rng: Generator, distance: float) -> tuple[Lamp, ...]:
    """A large main lamp, a smaller one from the other side, and a weak low one."""
    lamps = []
    around = rng.uniform(0, 2 * np.pi)
    for turn, slant, radius, power in ((0.0, 38, 0.22, 0.62), (2.4, 30, 0.14, 0.30), (4.3, 58, 0.08, 0.13)):
        angle = around + turn + rng.normal(0, 0.15)
        lean = np.radians(slant + rng.normal(0, 3))
        at = (
            1.15
            * distance
            * np.array([np.sin(lean) * np.cos(angle), np.sin(lean) * np.sin(angle), np.cos(lean)])
        )
        warm = rng.normal(0, 0.03)
        lamps.append(Lamp(at, radius * distance, power * np.array([1 + warm, 1.0, 1 - warm])))
    return tuple(lamps)


@dataclass(frozen=True)
class Pose:
    """turn: (3, 3), part frame -> table frame. to: (3,) metres."""

    turn: Floats
    to: Floats

    def of(self, mesh: Mesh) -> Floats:
        """(V, 3) float32: the vertices on the table."""
        return (rotated(mesh.vertices.astype(np.float64), self.turn) + self.to).astype(np.float32)


def pose(product: Product, key: PartKey) -> Pose:
    """A part laid down by hand: turned, shifted, rocked a little."""
    rng = key.stream("pose")
    turn = about_z(np.radians(product.turn) * rng.uniform(-1, 1))
    toward = about_z(rng.uniform(0, 2 * np.pi))
    rock = toward @ about_x(np.radians(product.rock) * rng.normal()) @ toward.T
    shift = rng.uniform(-product.shift, product.shift, 2)
    return Pose(rock @ turn, np.array([shift[0], shift[1], product.lift]))
