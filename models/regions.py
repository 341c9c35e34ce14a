"""Connected regions of a mask."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage


def label_regions(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int32], int]:
    """Number the 8-connected regions of a mask: pixels that touch at a corner are one region.

    mask: (H, W) bool. Returns (H, W) int32, 1, 2, ... inside the regions and 0 outside, and the number of
    regions.
    """
    labels = np.empty(mask.shape, np.int32)
    count = ndimage.label(mask, structure=np.ones((3, 3), bool), output=labels)
    return labels, int(count)  # pyright: ignore[reportArgumentType]
