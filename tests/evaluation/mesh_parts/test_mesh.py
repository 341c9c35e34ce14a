"""Meshes: normals, joining, and finer triangles where a defect goes."""

from __future__ import annotations

import numpy as np
import pytest

from evaluation.mesh_parts.mesh import Mesh, joined, refined


def square(z: float = 0.0) -> Mesh:
    corners = np.array([[0, 0, z], [1, 0, z], [1, 1, z], [0, 1, z]])
    return Mesh.of(corners, np.array([[0, 1, 2], [0, 2, 3]]))


def area(mesh: Mesh) -> float:
    a, b, c = (mesh.vertices[mesh.triangles[:, corner]] for corner in range(3))
    return float(np.sqrt((np.cross(b - a, c - a) ** 2).sum(axis=1)).sum() / 2)


def test_normals_look_out_of_the_triangles() -> None:
    assert square().normals() == pytest.approx(np.tile([0, 0, 1], (4, 1)))


def test_joined_meshes_keep_their_pieces() -> None:
    both = joined([square(), square(1.0).as_piece(3)])
    assert both.piece.tolist() == [0, 0, 3, 3]
    assert both.vertices[both.triangles[both.piece == 3]][..., 2] == pytest.approx(1)


def test_refining_splits_near_triangles_and_leaves_the_surface() -> None:
    wide = joined([square(), square(50.0)])
    fine = refined(wide, np.array([0.5, 0.5, 0.0]), 0.5, 0.1)
    low = fine.vertices[fine.triangles[:, 0], 2] < 1
    assert (low.sum(), (~low).sum()) == (2 * 4**4, 2)
    assert area(fine) == pytest.approx(2, rel=1e-5)
    assert len(np.unique(fine.vertices[fine.vertices[:, 2] < 1], axis=0)) == 17**2, "neighbours share middles"


def test_a_moved_mesh_knows_where_it_was() -> None:
    moved = square().moved(np.full((4, 3), 0.5))
    assert moved.vertices[0] == pytest.approx([0.5, 0.5, 0.5])
    assert np.array_equal(moved.rest, square().rest)
