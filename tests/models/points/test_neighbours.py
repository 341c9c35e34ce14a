"""The search is exact, also for clouds that are no surfaces."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import KDTree

from models.points.neighbours import nearest

RANDOM = np.random.default_rng(3)
CLOUDS = {
    "surface": RANDOM.random((900, 3)) * (1, 1, 0.01),
    "line": RANDOM.random((400, 1)) * (0.3, 0.0, 0.0),
    "upright line": RANDOM.random((400, 1)) * (0.0, 0.0, 3.0),
    "copies of one point": np.ones((200, 3)),
    "so many copies that sorting all of them would take minutes": np.vstack(
        [np.ones((2500, 3)), RANDOM.random((300, 3))]
    ),
    "two spots": np.repeat([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]], 60, axis=0),
    "an outlier": np.vstack([RANDOM.random((500, 3)), [[1e6, -1e6, 1e5]]]),
    "one point": np.ones((1, 3)),
    "a regular grid": np.stack(np.meshgrid(*3 * [np.arange(7.0)]), -1).reshape(-1, 3),
}


@pytest.mark.parametrize("radius", [1e-9, 0.05, 10.0])
@pytest.mark.parametrize("name", CLOUDS)
def test_the_nearest_points_are_found(name: str, radius: float) -> None:
    points = CLOUDS[name]
    most = min(20, len(points))
    found = nearest(points, most, radius)
    expected = KDTree(points).query(points[found.order], most)[0]
    expected = expected.reshape(len(points), most)
    near = found.squares < radius**2
    assert np.array_equal(near, expected**2 < radius**2)
    assert np.allclose(np.sqrt(found.squares[near]), expected[near], rtol=1e-12, atol=0)
    between = found.points[:, :, None] - found.points[:, found.index]
    assert np.array_equal((between**2).sum(axis=0)[near], found.squares[near])
    assert (found.held(most, radius) == near.sum(axis=1)).all()
    assert all(len(set(row[held])) == held.sum() for row, held in zip(found.index, near, strict=True))
