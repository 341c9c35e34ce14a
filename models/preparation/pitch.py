"""The distance of neighbouring points, and whether it can be that of a product."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from models.sample import BadSample, Sample

LINES = 64
"""Rows and columns of a cloud that are looked at."""
MOST_RATIO = 3.0
"""A part whose points are more than this many times further apart than those of the good parts, or closer
together, is refused: its unit, its sensor or its part is another."""
MOST_PITCH = 0.05
"""Largest distance of neighbouring points of a product, metres. No camera that inspects parts is coarser;
clouds in millimetres are."""
_UNITS: Mapping[str, float] = MappingProxyType(
    {"millimetres": 1e3, "centimetres": 1e2, "inches": 39.37, "micrometres": 1e6}
)
_SAME_UNIT = 2.0


def point_pitch(xyz: NDArray[np.float32], valid: NDArray[np.bool_]) -> float | None:
    """Median distance of neighbouring valid points, metres. None if no two neighbours are valid.

    xyz: (H, W, 3) float32 metres. valid: (H, W) bool. Neighbours in every n-th row and column are compared.
    """
    rows, columns = (np.s_[:: max(1, side // LINES)] for side in valid.shape)
    down = xyz[:, columns].swapaxes(0, 1), valid[:, columns].T
    squares = np.concatenate([_steps(*lines) for lines in ((xyz[rows], valid[rows]), down)])
    return float(np.median(np.sqrt(squares))) or None if len(squares) else None


def _steps(lines: NDArray[np.float32], valid: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(n,) squared distances of neighbouring valid points. lines: (L, n, 3). valid: (L, n)."""
    x, y, z = (np.diff(plane, axis=1).astype(np.float64) for plane in np.moveaxis(lines, 2, 0))
    return (x * x + y * y + z * z)[valid[:, 1:] & valid[:, :-1]]


def check_pitch(sample: Sample, expected: float) -> None:
    """Raise BadSample other_scale if the points are MOST_RATIO times closer together or further apart than
    those of the good parts. A cloud without neighbouring points passes.

    expected: pitch of the good parts, metres.
    """
    pitch = point_pitch(sample.xyz, sample.valid)
    if pitch is None or 1 / MOST_RATIO <= pitch / expected <= MOST_RATIO:
        return
    raise BadSample(
        "other_scale",
        f"Neighbouring points are {in_millimetres(pitch)} mm apart, those of the good parts "
        f"{in_millimetres(expected)} mm. {_guess(pitch / expected)}",
    )


def in_millimetres(length: float) -> str:
    """A length in metres as a number of millimetres."""
    return f"{1000 * length:.3g}"


def _guess(ratio: float) -> str:
    """What to do about a part whose points are `ratio` times as far apart as those of the good parts."""
    for unit, factor in _UNITS.items():
        if abs(math.log(ratio / factor)) < math.log(_SAME_UNIT):
            return f"These look like {unit}. Declare the unit (xyz_unit), or convert the cloud to metres."
        if abs(math.log(ratio * factor)) < math.log(_SAME_UNIT):
            return (
                f"The good parts look as if they were in {unit}. Declare their unit (xyz_unit) and build "
                "again, or send parts in the same unit."
            )
    return (
        "Check the unit (xyz_unit), the resolution of the sensor and its distance. If the parts are to come "
        "like this, build again with good parts that do."
    )
