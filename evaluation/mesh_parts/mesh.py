"""Triangles of a part, each knowing where it was before a defect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
"""float32 unless a step in between is wider."""
Indices = NDArray[np.integer]


@dataclass(frozen=True)
class Mesh:
    """Triangles. Where two faces meet at a sharp edge, each has vertices of its own.

    vertices: (V, 3) float32, metres, z up, 0 on the table. rest: (V, 3), the same before any defect; coats
    and defects refer to it. triangles: (T, 3) int64. piece: (T,) int16, number of the solid.
    """

    vertices: Floats
    rest: Floats
    triangles: Indices
    piece: Indices

    @classmethod
    def of(cls, vertices: Floats, triangles: Indices, piece: int = 0) -> Mesh:
        points = np.ascontiguousarray(vertices, np.float32)
        return cls(points, points, triangles.astype(np.int64), np.full(len(triangles), piece, np.int16))

    def normals(self) -> Floats:
        """(V, 3) float32 of length 1: the mean of the triangles around, by their area."""
        a, b, c = (self.vertices[self.triangles[:, corner]] for corner in range(3))
        faces = np.cross(b - a, c - a)
        total = np.stack(
            [
                np.bincount(
                    self.triangles.ravel(), np.repeat(faces[:, axis], 3), minlength=len(self.vertices)
                )
                for axis in range(3)
            ],
            axis=-1,
        )
        length = np.sqrt((total**2).sum(axis=1, keepdims=True))
        return (total / np.maximum(length, 1e-20)).astype(np.float32)

    def mapped(self, vertices: Floats) -> Mesh:
        """The same triangles at other places that were there from the start."""
        return Mesh.of(vertices, self.triangles)._with_piece(self.piece)

    def moved(self, offset: Floats) -> Mesh:
        """Moved by a defect: `rest` stays. offset: (V, 3)."""
        return replace(self, vertices=(self.vertices + offset).astype(np.float32))

    def as_piece(self, piece: int) -> Mesh:
        return self._with_piece(np.full(len(self.triangles), piece, np.int16))

    def _with_piece(self, piece: Indices) -> Mesh:
        return replace(self, piece=piece)


def joined(meshes: Sequence[Mesh]) -> Mesh:
    """All meshes as one. Where solids overlap, a ray meets the outermost: their union needs no cutting."""
    starts = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes)])
    return Mesh(
        np.concatenate([mesh.vertices for mesh in meshes]),
        np.concatenate([mesh.rest for mesh in meshes]),
        np.concatenate([mesh.triangles + start for mesh, start in zip(meshes, starts, strict=False)]),
        np.concatenate([mesh.piece for mesh in meshes]),
    )


def refined(mesh: Mesh, centre: Floats, radius: float, edge: float) -> Mesh:
    """Triangles within `radius` of `centre` are split until their edges are about `edge` metres long.

    A split edge at the rim of the region has a vertex that its other triangle lacks. No gap opens there if
    the vertices at the rim are not moved afterwards.
    """
    for _ in range(4):
        corners = mesh.rest[mesh.triangles]
        sides = np.sqrt(((corners - np.roll(corners, 1, axis=1)) ** 2).sum(axis=2))
        longest = sides.max(axis=1)
        away = np.sqrt(((corners.mean(axis=1) - centre) ** 2).sum(axis=1))
        near = away < radius + longest
        if not near.any() or np.quantile(longest[near], 0.9) < 1.4 * edge:
            break
        mesh = _split(mesh, near)
    return mesh


def _split(mesh: Mesh, chosen: NDArray[np.bool_]) -> Mesh:
    """Each chosen triangle becomes four; triangles that share an edge share its middle."""
    old = mesh.triangles[chosen]
    edges = np.sort(np.stack([old, np.roll(old, -1, axis=1)], axis=-1), axis=-1).reshape(-1, 2)
    codes = edges[:, 0] * len(mesh.vertices) + edges[:, 1]
    _, first, which = np.unique(codes, return_index=True, return_inverse=True)
    ends = edges[first]
    middle = (which + len(mesh.vertices)).reshape(-1, 3)
    a, b, c = old.T
    ab, bc, ca = middle.T
    small = np.concatenate(
        [np.stack(three, axis=-1) for three in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))]
    )
    return Mesh(
        np.concatenate([mesh.vertices, mesh.vertices[ends].mean(axis=1)]),
        np.concatenate([mesh.rest, mesh.rest[ends].mean(axis=1)]),
        np.concatenate([mesh.triangles[~chosen], small]),
        np.concatenate([mesh.piece[~chosen], np.tile(mesh.piece[chosen], 4)]),
    )
