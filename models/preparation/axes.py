"""Whether the axes of a cloud are those that Tribank takes them for: z is the distance from the camera."""

from __future__ import annotations

import numpy as np

from models.preparation.pitch import LINES
from models.sample import Sample

_STEEP = 2.0
"""How many times faster than x and y together z grows from column to column. Half of a part's surface would
have to turn away from the camera by more than 63 degrees."""
OTHER_AXES = (
    "x and z look swapped: z, not x, grows from column to column. z must be the distance from the camera. "
    "cv2.imwrite stores channels in reverse order: give it xyz[..., ::-1]."
)
"""A sentence about a cloud whose z is no distance."""


def is_z_sideways(sample: Sample) -> bool:
    """Whether z grows from column to column of the cloud, as x should. Neighbours in every n-th row are
    compared."""
    rows = slice(None, None, max(1, len(sample.valid) // LINES))
    valid = sample.valid[rows, 1:] & sample.valid[rows, :-1]
    steps = np.diff(sample.xyz[rows].astype(np.float64), axis=1)[valid]
    if not len(steps):
        return False
    x, y, z = np.abs(np.median(steps, axis=0))
    return bool(z > _STEEP * np.hypot(x, y))
