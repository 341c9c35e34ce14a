"""What rays meet: the part's triangles and the table (Open3D's ray caster)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import open3d as o3d
from numpy.typing import NDArray

from evaluation.mesh_parts.body import Spots
from evaluation.mesh_parts.mesh import Floats, Mesh
from evaluation.mesh_parts.station import Pose
from evaluation.mesh_parts.vectors import dot, rotated, unit

_TABLE = 2.0
"""Half a side of the table, metres."""


@dataclass(frozen=True)
class Hits:
    """What N rays met, in the table's frame.

    depth: (N,) float32, in lengths of the ray's direction. point, normal: (N, 3) float32; the normal looks
    toward the ray's start. on_part: (N,) bool, False on the table. spots: of the P hits on the part.
    """

    depth: Floats
    point: Floats
    normal: Floats
    on_part: NDArray[np.bool_]
    spots: Spots


class Scene:
    """One part on the table."""

    def __init__(self, mesh: Mesh, pose: Pose) -> None:
        self._mesh, self._pose = mesh, pose
        vertices = pose.of(mesh)
        self._caster = o3d.t.geometry.RaycastingScene(nthreads=1)
        self._part = _add(self._caster, vertices, mesh.triangles)
        corners = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]]) * _TABLE
        _add(self._caster, corners, np.array([[0, 1, 2], [0, 2, 3]]))
        self._attributes = np.hstack([mesh.rest, mesh.normals()]).astype(np.float32)

    def cast(self, start: Floats, directions: Floats) -> Hits:
        """start: (3,). directions: (N, 3) float32, downwards."""
        rays = np.hstack([np.broadcast_to(start.astype(np.float32), directions.shape), directions])
        answer = self._caster.cast_rays(o3d.core.Tensor.from_numpy(rays), nthreads=1)
        depth = answer["t_hit"].numpy()
        on_part = answer["geometry_ids"].numpy() == self._part
        normal = np.zeros_like(directions)
        normal[:, 2] = 1
        spots = self._spots(
            answer["primitive_ids"].numpy()[on_part].astype(np.int64),
            answer["primitive_uvs"].numpy()[on_part],
        )
        normal[on_part] = rotated(spots.normal, self._pose.turn)
        away = dot(normal, directions) > 0
        normal[away] *= -1
        point = start.astype(np.float32) + directions * depth[:, None]
        return Hits(depth, point, normal, on_part, spots)

    def _spots(self, triangle: NDArray[np.int64], uv: Floats) -> Spots:
        u, v = uv[:, :1], uv[:, 1:]
        a, b, c = (self._attributes[self._mesh.triangles[triangle, corner]] for corner in range(3))
        mixed = a * (1 - u - v) + b * u + c * v
        return Spots(mixed[:, :3], unit(mixed[:, 3:]), self._mesh.piece[triangle])

    def blocked(self, hits: Hits, toward: Floats, clear: float) -> NDArray[np.bool_]:
        """(N,) whether something stands on the way `toward` ((N, 3), metres, from each hit). clear: metres
        along the normal that the way starts above the surface."""
        start = hits.point + hits.normal * np.float32(clear)
        rays = np.hstack([start, toward]).astype(np.float32)
        return self._caster.test_occlusions(o3d.core.Tensor.from_numpy(rays), tfar=0.99, nthreads=1).numpy()


def _add(caster: o3d.t.geometry.RaycastingScene, vertices: Floats, triangles: NDArray[np.integer]) -> int:
    return caster.add_triangles(
        o3d.core.Tensor.from_numpy(np.ascontiguousarray(vertices, np.float32)),
        o3d.core.Tensor.from_numpy(np.ascontiguousarray(triangles, np.uint32)),
    )
