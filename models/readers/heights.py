"""A height map of a line profiler becomes coordinates."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.sample import BadSample
from recipes.sensor import Sensor


def height_map(heights: NDArray[np.generic], sensor: Sensor) -> NDArray[np.float64]:
    """Compute (H, W, 3) float64 in the sensor's unit from heights (H, W) as stored; NaN for no return.

    x = column * x_pitch, y = row * y_pitch, z = stored * z_scale + z_offset. The declared `invalid` means no
    return. If none is declared: 0 in unsigned numbers, and the lowest number of signed integers.
    sensor: with pitches. Raises BadSample: xyz_dtype.
    """
    kind = heights.dtype.kind
    if kind not in "uif" or heights.dtype.itemsize > 8:
        raise BadSample("xyz_dtype", f"The heights must be integers or floating point, not {heights.dtype}.")
    invalid = sensor.invalid
    if invalid is None and kind != "f":
        invalid = 0.0 if kind == "u" else float(-(2 ** (8 * heights.dtype.itemsize - 1)))
    with np.errstate(invalid="ignore"):  # a signalling NaN is NaN, as any other
        z = heights.astype(np.float64) * sensor.z_scale + sensor.z_offset
    if invalid is not None:
        z[is_value(heights, invalid)] = np.nan
    xyz = np.empty((*heights.shape, 3))
    xyz[..., 0] = np.arange(heights.shape[1]) * (sensor.x_pitch or 0.0)
    xyz[..., 1] = np.arange(heights.shape[0])[:, None] * (sensor.y_pitch or 0.0)
    xyz[..., 2] = z
    return xyz


def is_value(stored: NDArray[np.generic], value: float) -> NDArray[np.bool_]:
    """Where the stored numbers are `value`, as far as their type can hold it."""
    if stored.dtype.kind != "f":
        return stored == value
    with np.errstate(over="ignore"):
        return stored == stored.dtype.type(value)
