"""What the rays of a shot meet: the part's mesh (Open3D), the table, and the part's maps at those points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation.demo_parts.fields import Field, blurred
from evaluation.demo_parts.relief import PITCH_M, Relief
from models.libraries import import_open3d

o3d = import_open3d()

Vectors = NDArray[np.floating]


@dataclass(frozen=True)
class Hits:
    """What N camera rays met, in the part frame.

    depth: (N,) float32, metres along the camera's z. point, normal: (N, 3) float32.
    on_part: (N,) bool, False on the table.
    albedo: (N, 3); gloss, absorb, openness: (N,) float32, the part's maps; the table is matt.
    """

    depth: Field
    point: Vectors
    normal: Vectors
    on_part: NDArray[np.bool_]
    albedo: Vectors
    gloss: Field
    absorb: Field
    openness: Field


class Scene:
    """One part on the table."""

    def __init__(self, relief: Relief) -> None:
        self.relief = relief
        self._rays = o3d.t.geometry.RaycastingScene(nthreads=1)
        vertices, triangles = _mesh(relief)
        self._rays.add_triangles(o3d.core.Tensor.from_numpy(vertices), o3d.core.Tensor.from_numpy(triangles))
        down, right = np.gradient(blurred(relief.height, 0.7), PITCH_M)
        self._maps = np.dstack(
            [relief.albedo, -right, down, relief.gloss, relief.absorb, _openness(relief.height)]
        ).astype(np.float32)

    def cast(self, camera: NDArray[np.float64], directions: Vectors) -> Hits:
        """directions: (N, 3) in the part frame, of length 1 along the camera's z, pointing at the table."""
        depth, on_part = self.depths(camera, directions)
        point = (camera.astype(np.float32) + directions * depth[:, None]).astype(np.float32)
        seen = self.lookup(self._maps, point)
        normal = np.stack([seen[:, 3], seen[:, 4], np.ones(len(seen), np.float32)], axis=-1)
        normal = np.where(on_part[:, None], normal, np.array([0, 0, 1], np.float32))
        normal /= np.sqrt((normal**2).sum(axis=1, keepdims=True))
        gloss, absorb = (np.where(on_part, seen[:, channel], 0) for channel in (5, 6))
        return Hits(depth, point, normal, on_part, seen[:, :3], gloss, absorb, seen[:, 7])

    def depths(self, camera: NDArray[np.float64], directions: Vectors) -> tuple[Field, NDArray[np.bool_]]:
        """(N,) metres along the camera's z to the first hit, and whether that is the part."""
        origin = np.broadcast_to(camera.astype(np.float32), directions.shape)
        answer = self._rays.cast_rays(o3d.core.Tensor.from_numpy(np.hstack([origin, directions])), nthreads=1)
        part = answer["t_hit"].numpy()
        table = (-camera[2] / directions[:, 2]).astype(np.float32)
        on_part = part < table
        return np.where(on_part, part, table), on_part

    def shadowed(self, hits: Hits, source: NDArray[np.float64]) -> NDArray[np.bool_]:
        """(N,) True where the part stands between a hit and `source`."""
        start = hits.point + hits.normal * np.float32(0.0004)
        ray = np.hstack([start, source.astype(np.float32) - start]).astype(np.float32)
        return self._rays.test_occlusions(o3d.core.Tensor.from_numpy(ray), tfar=0.98, nthreads=1).numpy()

    def lookup(self, maps: Field, point: Vectors) -> Field:
        """maps: (rows, cols, C) over the relief's cells -> (N, C), bilinear; beyond them, their border."""
        rows, cols = maps.shape[:2]
        row = np.clip((rows - 1) / 2 - point[:, 1] / PITCH_M, 0, rows - 1.001)
        col = np.clip((cols - 1) / 2 + point[:, 0] / PITCH_M, 0, cols - 1.001)
        top, left = row.astype(np.intp), col.astype(np.intp)
        down, right = (row - top)[:, None].astype(np.float32), (col - left)[:, None].astype(np.float32)
        flat = maps.reshape(rows * cols, -1)
        corner = top * cols + left
        upper = flat[corner] * (1 - right) + flat[corner + 1] * right
        lower = flat[corner + cols] * (1 - right) + flat[corner + cols + 1] * right
        return upper * (1 - down) + lower * down


def _mesh(relief: Relief) -> tuple[Field, NDArray[np.uint32]]:
    """Two triangles for every cell that is not flat on the table: (V, 3) metres, (T, 3)."""
    vertices = np.dstack([relief.grid.x, relief.grid.y, relief.height]).reshape(-1, 3)
    index = np.arange(len(vertices), dtype=np.uint32).reshape(relief.grid.shape)
    high = relief.height > 1e-5
    kept = high[:-1, :-1] | high[:-1, 1:] | high[1:, :-1] | high[1:, 1:]
    a, b, c, d = (corner[kept] for corner in (index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:]))
    triangles = np.concatenate([np.stack([a, c, b], axis=-1), np.stack([b, c, d], axis=-1)])
    return vertices.astype(np.float32), np.ascontiguousarray(triangles)


def _openness(height: Field) -> Field:
    """(rows, cols), about 1 in the open: how much sky is left by surroundings that rise above a cell."""
    dark = np.zeros_like(height)
    for sigma_m, weight in ((0.0012, 0.35), (0.0035, 0.45), (0.0080, 0.35)):
        rise = blurred(height, sigma_m / PITCH_M) - height
        dark += weight * np.clip(rise / (1.6 * sigma_m), -0.15, 1)
    return np.clip(1 - dark, 0.35, 1.08).astype(np.float32)
