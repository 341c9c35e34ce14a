"""Surfaces and solids that parts are made of, as meshes with even triangles."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy.spatial import Delaunay, KDTree

from evaluation.mesh_parts.mesh import Floats, Indices, Mesh, joined
from evaluation.mesh_parts.outlines import inset, inside
from evaluation.mesh_parts.vectors import rotated


def sheet(outlines: Sequence[Floats], z: float, step: float) -> Mesh:
    """A flat face: the material within the outlines at height `z`, in triangles of about `step` metres."""
    rim = np.concatenate(list(outlines))
    low, high = rim.min(axis=0), rim.max(axis=0)
    x = np.arange(low[0], high[0], step)
    y = np.arange(low[1], high[1], 0.87 * step)
    grid = np.stack(np.meshgrid(x, y), axis=-1)
    grid[1::2, :, 0] += step / 2
    filling = grid.reshape(-1, 2)
    free = KDTree(rim).query(filling)[0] > 0.6 * step
    filling = filling[free]
    filling = filling[inside(filling, list(outlines))]
    points = np.concatenate([rim, filling])
    triangles = Delaunay(points).simplices
    triangles = triangles[inside(points[triangles].mean(axis=1), list(outlines))]
    return Mesh.of(np.column_stack([points, np.full(len(points), z)]), triangles)


def band(lower: Floats, upper: Floats, rows: int = 1) -> Mesh:
    """The strip between two closed lines (N, 3), point by point, in `rows` rows."""
    share = np.linspace(0, 1, rows + 1)[:, None, None]
    return net(lower + (upper - lower) * share, closed=True)


def net(points: Floats, *, closed: bool) -> Mesh:
    """(R, C, 3) points: triangles between rows and columns. closed: the last column meets the first."""
    rows, cols = points.shape[:2]
    index = np.arange(rows * cols).reshape(rows, cols)
    right = np.roll(index, -1, axis=1) if closed else index[:, 1:]
    left = index if closed else index[:, :-1]
    a, b, c, d = left[:-1], right[:-1], left[1:], right[1:]
    triangles = np.concatenate([np.stack([a, b, c], axis=-1), np.stack([b, d, c], axis=-1)])
    return Mesh.of(points.reshape(-1, 3), triangles.reshape(-1, 3))


def at_height(outline: Floats, z: float) -> Floats:
    """(N, 3)."""
    return np.column_stack([outline, np.full(len(outline), z)])


def prism(outlines: Sequence[Floats], bottom: float, top: float, bevel: float, step: float) -> Mesh:
    """A plate or block standing on `bottom`, open below, with bevelled upper edges."""
    inner = [inset(outline, bevel) for outline in outlines]
    rows = max(1, round((top - bevel - bottom) / (1.3 * step)))
    parts = [sheet(inner, top, step)]
    for outline, within in zip(outlines, inner, strict=True):
        foot, edge = at_height(outline, bottom), at_height(outline, top - bevel)
        parts += [band(foot, edge, rows), band(edge, at_height(within, top))]
    return joined(parts)


def revolved(profile: Floats, columns: int, ripple: Callable[[Floats, Floats], Floats] | None = None) -> Mesh:
    """A smooth face around the z axis. profile: (R, 2) radius and height, from outside to inside or from the
    bottom to the top. ripple: (radius, angle) -> what is added to the radius."""
    angle = np.arange(columns) * (2 * np.pi / columns)
    radius = np.repeat(profile[:, :1], columns, axis=1)
    if ripple is not None:
        radius = radius + ripple(radius, np.broadcast_to(angle, radius.shape))
    z = np.repeat(profile[:, 1:], columns, axis=1)
    return net(np.stack([radius * np.cos(angle), radius * np.sin(angle), z], axis=-1), closed=True)


def tube(path: Floats, radius: Floats, around: int, flat: float = 1.0) -> Mesh:
    """A rope along `path` (N, 3), closed at its ends. radius: (N,). flat: height over width."""
    along = np.gradient(path, axis=0)
    along /= np.sqrt((along**2).sum(axis=1, keepdims=True))
    side = np.stack([-along[:, 1], along[:, 0], np.zeros(len(path))], axis=-1)
    side /= np.maximum(np.sqrt((side**2).sum(axis=1, keepdims=True)), 1e-9)
    up = np.cross(along, side)
    angle = np.arange(around) * (2 * np.pi / around)
    circle = side[:, None] * np.cos(angle)[:, None] + flat * up[:, None] * np.sin(angle)[:, None]
    rings = path[:, None] + circle * radius[:, None, None]
    ends = (np.repeat(path[end : end + 1, None], around, axis=1) for end in (0, len(path) - 1))
    first, last = ends
    return net(np.concatenate([first, rings, last]), closed=True)


def globe(rows: int, columns: int) -> tuple[Floats, Indices]:
    """Directions (N, 3) of length 1 all around, and the triangles between them."""
    polar = np.linspace(0, np.pi, rows)
    around = np.arange(columns) * (2 * np.pi / columns)
    ring = np.sin(polar)[:, None]
    z = np.broadcast_to(np.cos(polar)[:, None], (rows, columns))
    points = np.stack([ring * np.cos(around), ring * np.sin(around), z], axis=-1)
    mesh = net(points[::-1], closed=True)
    return mesh.vertices, mesh.triangles


def carried(mesh: Mesh, turn: Floats, to: Sequence[float]) -> Mesh:
    """The mesh turned by `turn` (3, 3) and then moved by `to`."""
    return mesh.mapped(rotated(mesh.vertices.astype(np.float64), turn) + np.asarray(to))
