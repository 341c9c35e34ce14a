"""A verdict within a region of interest."""

from __future__ import annotations

import numpy as np
import pytest

from banks.decision.verdict import Verdict, grid_pixel

SIZE = 16


@pytest.mark.parametrize(
    ("place", "pixel"),
    [((5.5, 8.5), (8, 5)), ((6, 8), (7, 5)), ((10, 2), (4, 5)), ((6, 8.9), (8, 5)), ((2.5, 16), (11, 2))],
)
def test_a_place_lies_on_a_pixel_of_the_region_of_interest(
    place: tuple[float, float], pixel: tuple[int, int]
) -> None:
    """The second place is the corner of a pixel inside, and belongs to a pixel outside."""
    mask = np.zeros((SIZE, SIZE), bool)
    mask[4:12, :6] = True
    verdict = Verdict({}, (place[0] / SIZE, place[1] / SIZE), np.ones((SIZE, SIZE), np.float32))
    found = verdict.within(mask)
    assert found.place is not None
    assert grid_pixel(found.place, SIZE) == pixel
    assert found.map.sum() == mask.sum()
    assert found.map[pixel] == 1
