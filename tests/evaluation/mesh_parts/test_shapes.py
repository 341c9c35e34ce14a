"""Shapes: areas and volumes of what they make."""

from __future__ import annotations

import numpy as np
import pytest

from evaluation.mesh_parts.mesh import Mesh
from evaluation.mesh_parts.outlines import circle, hole, inside, polar, rectangle
from evaluation.mesh_parts.shapes import globe, prism, sheet, tube


def faces(mesh: Mesh) -> np.ndarray:
    """(T, 3): the triangles' normals, as long as their areas."""
    a, b, c = (mesh.vertices[mesh.triangles[:, corner]].astype(np.float64) for corner in range(3))
    return np.cross(b - a, c - a) / 2


def volume(mesh: Mesh) -> float:
    middle = mesh.vertices[mesh.triangles].astype(np.float64).mean(axis=1)
    return float((middle * faces(mesh)).sum() / 3)


def test_a_sheet_has_the_area_of_its_outlines() -> None:
    plate = sheet([rectangle(0.08, 0.05, 0.004), hole(circle(0.01))], 0.003, 0.002)
    expected = 0.08 * 0.05 - (4 - np.pi) * 0.004**2 - np.pi * 0.01**2
    assert faces(plate)[:, 2].sum() == pytest.approx(expected, rel=0.005)
    assert (faces(plate)[:, 2] > -1e-9).all()
    assert np.abs(plate.vertices[:, 2] - 0.003).max() < 1e-8


def test_a_prism_looks_outward_and_is_open_below() -> None:
    block = prism([circle(0.02)], 0.0, 0.01, 0.0005, 0.002)
    assert volume(block) == pytest.approx(np.pi * 0.02**2 * 0.01, rel=0.02)
    outward = (block.normals() * block.vertices).sum(axis=1)
    assert (outward > 0).mean() > 0.9
    assert block.vertices[:, 2].max() == pytest.approx(0.01)


def test_a_globe_and_a_tube_are_closed() -> None:
    ways, triangles = globe(40, 60)
    ball = Mesh.of(ways * 0.02, triangles)
    assert volume(ball) == pytest.approx(4 / 3 * np.pi * 0.02**3, rel=0.01)
    path = np.column_stack([np.linspace(0, 0.1, 40), np.zeros(40), np.zeros(40)])
    rope = tube(path, np.full(40, 0.005), 24)
    assert abs(volume(rope)) == pytest.approx(np.pi * 0.005**2 * 0.1, rel=0.02)


def test_inside_knows_holes() -> None:
    outlines = [polar(np.full(64, 1.0)), hole(circle(0.5, step=0.05))]
    assert inside(np.array([[0.7, 0.0], [0.0, 0.1], [1.2, 0.0]]), outlines).tolist() == [True, False, False]
