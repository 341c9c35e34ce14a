"""The surface of a part."""

from __future__ import annotations

import numpy as np
import pytest

from models.preparation.surface import surface_area


def test_the_surface_of_a_tilted_plane_without_its_hole() -> None:
    rows, columns = np.mgrid[:41, :61] * 0.001
    xyz = np.stack([columns, rows, columns], axis=2).astype(np.float32)  # 45 degrees
    valid = np.ones((41, 61), bool)
    whole = 0.04 * 0.06 * np.sqrt(2)
    assert surface_area(xyz, valid) == pytest.approx(whole, rel=1e-4)
    valid[10:21, 10:21] = False  # every cell that touches the hole goes
    assert surface_area(xyz, valid) == pytest.approx(whole - 12 * 12 * 1e-6 * np.sqrt(2), rel=1e-4)
    assert surface_area(xyz, np.zeros((41, 61), bool)) == 0
