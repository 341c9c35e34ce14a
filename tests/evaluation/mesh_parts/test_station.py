"""The camera's lens, and what stands where."""

from __future__ import annotations

import numpy as np
import pytest

from evaluation.demo_parts.keys import PartKey
from evaluation.mesh_parts.products import PRODUCTS
from evaluation.mesh_parts.station import BASELINE, DISTORTION, station

CAP = PRODUCTS["cap"]
KEY = PartKey(0, "cap", "test", "good", 0)


def test_the_lens_bends_rays_as_its_two_numbers_say() -> None:
    view = station(CAP, KEY)
    rays = view.rays().reshape(view.rows, view.cols, 3).astype(np.float64)
    assert (rays[..., 2] == 1).all()
    x, y = rays[10, 25, :2]
    square = x**2 + y**2
    bent = np.array([x, y]) * (1 + DISTORTION[0] * square + DISTORTION[1] * square**2)
    pixel = bent * view.focal + np.array([view.cols - 1, view.rows - 1]) / 2
    assert pixel == pytest.approx([25, 10], abs=1e-3)
    assert np.abs(np.array([x, y]) * view.focal - bent * view.focal).max() > 0.3, "some pixels of distortion"


def test_the_camera_looks_at_the_tables_middle_from_its_distance() -> None:
    view = station(CAP, KEY)
    assert view.turn @ view.turn.T == pytest.approx(np.eye(3), abs=1e-9)
    assert np.sqrt((view.camera**2).sum()) == pytest.approx(CAP.distance, rel=0.01)
    assert -view.camera / np.sqrt((view.camera**2).sum()) == pytest.approx(view.turn[:, 2], abs=1e-9)
    assert np.sqrt(((view.projector - view.camera) ** 2).sum()) == pytest.approx(BASELINE * CAP.distance)
