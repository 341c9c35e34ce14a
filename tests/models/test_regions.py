from __future__ import annotations

import numpy as np

from models.regions import label_regions


def test_pixels_that_touch_at_a_corner_are_one_region() -> None:
    mask = np.array([[1, 0, 0, 1], [0, 1, 0, 0], [0, 0, 0, 1]], bool)
    labels, count = label_regions(mask)
    assert count == 3
    assert labels.dtype == np.int32
    assert labels[0, 0] == labels[1, 1] != labels[0, 3]
    assert (labels[~mask] == 0).all()
    assert label_regions(np.zeros((2, 2), bool))[1] == 0
