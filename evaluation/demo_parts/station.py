"""Where camera, projector and part are: the geometry of one shot."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation.demo_parts.keys import PartKey, stream
from evaluation.demo_parts.products import Product

BASELINE_M = 0.11
"""Camera to projector."""

Vectors = NDArray[np.floating]


@dataclass(frozen=True)
class Shot:
    """One shot, seen from the part: its frame has z up from the table and 0, 0, 0 below the part's middle.

    turn: (3, 3) float64, camera frame -> part frame. The camera frame has x right, y down, z ahead.
    camera, projector: (3,) float64, positions in the part frame, metres.
    to_table: (2, 3) float64, part frame x, y, 1 -> table x, y, metres.
    focal: pixels. rows, cols: image size.
    """

    turn: NDArray[np.float64]
    camera: NDArray[np.float64]
    projector: NDArray[np.float64]
    to_table: NDArray[np.float64]
    focal: float
    rows: int
    cols: int

    def directions(self, offset: tuple[float, float] = (0.0, 0.0)) -> Vectors:
        """(rows * cols, 3) float32, camera frame, z = 1, through the pixels' middles plus `offset` pixels."""
        columns = (np.arange(self.cols) - (self.cols - 1) / 2 + offset[0]) / self.focal
        lines = (np.arange(self.rows) - (self.rows - 1) / 2 + offset[1]) / self.focal
        u, v = np.meshgrid(columns, lines)
        return np.stack([u, v, np.ones_like(u)], axis=-1).reshape(-1, 3).astype(np.float32)

    def into_part(self, directions: Vectors) -> Vectors:
        """(N, 3) directions from the camera frame into the part frame."""
        # Written out: a BLAS product may round differently from machine to machine.
        turn = self.turn.astype(np.float32)
        columns = [
            directions[:, 0] * row[0] + directions[:, 1] * row[1] + directions[:, 2] * row[2] for row in turn
        ]
        return np.stack(columns, axis=-1)


def shot(product: Product, key: PartKey) -> Shot:
    """The product's fixed station, a part laid down by hand in it."""
    fixed = stream(key.seed, product.name, "station")
    pose = key.stream("pose")
    tilt = np.radians(product.tilt) * fixed.uniform(0.8, 1.2) + np.radians(pose.normal(0, 0.15))
    toward = fixed.uniform(0, 2 * np.pi)
    distance = product.distance + pose.normal(0, 0.001)
    camera_to_table = _tilted(tilt, toward) @ np.diag([1.0, -1.0, -1.0])
    camera = -distance * camera_to_table[:, 2]
    projector = camera + BASELINE_M * camera_to_table[:, 0]
    angle = np.radians(product.turn) * pose.uniform(-1, 1)
    shift = pose.uniform(-product.shift, product.shift, 2)
    table_to_part = _about_z(-angle)
    moved = np.array([shift[0], shift[1], 0.0])
    part_to_table = _about_z(angle)
    return Shot(
        turn=table_to_part @ camera_to_table,
        camera=table_to_part @ (camera - moved),
        projector=table_to_part @ (projector - moved),
        to_table=np.column_stack([part_to_table[:2, :2], shift]),
        focal=product.cols * product.distance / product.field,
        rows=product.rows,
        cols=product.cols,
    )


def _about_z(angle: float) -> NDArray[np.float64]:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def _tilted(angle: float, toward: float) -> NDArray[np.float64]:
    """(3, 3): a tilt by `angle` about the horizontal axis at `toward`."""
    c, s = np.cos(angle), np.sin(angle)
    about_x = np.array([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]])
    return _about_z(toward) @ about_x @ _about_z(-toward)
