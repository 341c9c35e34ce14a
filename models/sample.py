"""One part in memory: an RGB image and its organised point cloud, pixel for pixel.

This module alone decides which pixels have no return. `make_sample` applies the rules for every sensor;
`without_returns` applies the value that a product's recipe declares."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from recipes.extraction import Modality
from recipes.sensor import Unit

MIN_SIDE = 32
"""Shortest side of a part, pixels. A smaller image has no room for border strips and an object."""

MOST_RATIO = 40
"""Longer side of a part over its shorter side. The square around a narrower part would show next to nothing
of it, and take the more time the longer it is."""

MAX_RANGE = 100.0
"""Largest coordinate of a part, metres. No inspection camera measures beyond it; a larger number is mostly
millimetres instead of metres."""


class BadSample(ValueError):
    """A part that cannot be read or scored. `code` is stable; the message says what to do.

    field: the name of the field or file at fault, such as "xyz", if it is known.
    """

    def __init__(self, code: str, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.field = field


class UnsupportedType(BadSample):
    """A file of a kind that no reader accepts."""


class TooLarge(BadSample):
    """A file with more bytes, pixels or points than the limits allow, before or after decompression."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One part.

    Attributes:
        rgb: (H, W, 3) uint8.
        xyz: (H, W, 3) float32, metres, camera frame; exactly 0, 0, 0 where `valid` is False. Coordinates may
            be out of range until `check_range` was called.
        valid: (H, W) bool, True where the sensor returned a point.
        missing: the input that was not recorded; its array is all zero. A recorded black image or empty
            cloud is not missing.
        xyz_unit: the unit in which the coordinates were recorded; `xyz` is in metres. None if the recording
            has no cloud, or a depth map with a scale of its own.
        image_size: (H, W) of the recorded image if `rgb` is the image at the cloud's size; else None.
    """

    rgb: NDArray[np.uint8]
    xyz: NDArray[np.float32]
    valid: NDArray[np.bool_]
    missing: Modality | None = None
    xyz_unit: Unit | None = "m"
    image_size: tuple[int, int] | None = None

    @property
    def image_scale(self) -> tuple[float, float] | None:
        """Pixels of the recorded image to one pixel of the cloud, along x and y; None if they are equal."""
        if self.image_size is None:
            return None
        height, width = self.valid.shape
        return self.image_size[1] / width, self.image_size[0] / height


def make_sample(rgb: ArrayLike | None, xyz: ArrayLike | None, xyz_unit: Unit | None = "m") -> Sample:
    """Join an image and a cloud into a part.

    A pixel has no return if any of its coordinates is NaN or infinite (Kinect drivers and PCL write both), or
    if all three are 0.

    Args:
        rgb: (H, W, 3) uint8; None if not recorded.
        xyz: (H, W, 3) float16, float32 or float64, metres; not changed; None if not recorded.
        xyz_unit: as in Sample.

    Raises ValueError if both are None; BadSample: rgb_shape, rgb_dtype, xyz_shape, xyz_dtype, size_mismatch,
    too_small.
    """
    image = None if rgb is None else _checked_image(np.asarray(rgb))
    cloud = None if xyz is None else _checked_cloud(np.asarray(xyz))
    missing: Modality | None = "rgb" if image is None else "xyz" if cloud is None else None
    if image is None:
        if cloud is None:
            raise ValueError("A part needs an image or a cloud.")
        image = np.zeros(cloud.shape, np.uint8)
    if cloud is None:
        cloud = np.zeros(image.shape, np.float32)
    if image.shape[:2] != cloud.shape[:2]:
        raise BadSample(
            "size_mismatch",
            f"The image is {_size(image)} and the cloud is {_size(cloud)} pixels (height x width), but both "
            "must have the same size. Register the image to the cloud, or check whether height and width "
            "are swapped.",
        )
    shorter, longer = sorted(image.shape[:2])
    if shorter < max(MIN_SIDE, longer / MOST_RATIO):
        raise BadSample(
            "too_small",
            f"The part is {_size(image)} pixels; both sides must be at least {MIN_SIDE}, and the shorter one "
            f"at least 1/{MOST_RATIO} of the longer one.",
        )
    valid = _returns(cloud)
    metres = np.array(narrowed(cloud))
    metres[~valid] = 0
    unit = None if missing == "xyz" else xyz_unit
    return Sample(np.ascontiguousarray(image), metres, valid, missing, unit)


def without_returns(sample: Sample, no_return: float | None) -> Sample:
    """The part without the pixels whose z is `no_return`, metres. None removes no pixel.

    Some sensors write -1 or 9999 for no return, in all three coordinates or in z alone. A z counts as equal
    if it differs by at most a factor of 1e-6, so that a depth times its scale is found, or if it is
    `no_return` rounded to float16.
    """
    if no_return is None:
        return sample
    # float64, because some sensors write -3.4e38 and a difference would overflow in float32
    z = sample.xyz[..., 2].astype(np.float64)
    with np.errstate(over="ignore"):
        half = float(np.float16(no_return))
    declared = (np.abs(z - no_return) <= 1e-6 * abs(no_return)) | (z == half)
    valid = sample.valid & ~declared
    return replace(sample, xyz=np.where(valid[..., None], sample.xyz, np.float32(0)), valid=valid)


def check_range(sample: Sample) -> None:
    """Raise BadSample out_of_range if a coordinate is beyond MAX_RANGE."""
    # Two reductions instead of np.abs, which would allocate an array of the cloud's size.
    furthest = max(float(sample.xyz.max()), -float(sample.xyz.min()))
    if furthest > MAX_RANGE:
        raise BadSample(
            "out_of_range",
            f"A coordinate is {furthest:.6g} m from the camera; at most {MAX_RANGE:g} m are accepted. "
            "Declare the unit of the cloud (xyz_unit, such as mm), or convert the cloud to metres. For a "
            "depth map, check depth_scale (metres per unit: 0.001 for millimetres). If the sensor writes a "
            "fixed number for no return, build with --set preparation.no_return=NUMBER.",
        )


def narrowed(xyz: NDArray[np.floating]) -> NDArray[np.float32]:
    """Convert to float32. Large finite numbers are clipped, because infinity would mean no return."""
    if xyz.dtype == np.float64:
        most = float(np.finfo(np.float32).max)
        xyz = np.where(np.isfinite(xyz), np.clip(xyz, -most, most), xyz)
    return np.ascontiguousarray(xyz, dtype=np.float32)


def _returns(cloud: NDArray[np.floating]) -> NDArray[np.bool_]:
    """(H, W) bool, True where the sensor returned a point."""
    x, y, z = np.ascontiguousarray(np.moveaxis(cloud, 2, 0))
    # One pass finds NaN and infinity: x - x is 0 for finite x and NaN otherwise, and so is a sum of them.
    with np.errstate(invalid="ignore"):
        valid = (x - x) + (y - y) == (z - z)
    valid &= (x != 0) | (y != 0) | (z != 0)
    return valid


def _checked_image(image: NDArray[Any]) -> NDArray[np.uint8]:
    if image.ndim != 3 or image.shape[2] != 3:
        raise BadSample("rgb_shape", f"The image must be height x width x 3, not {_shape(image)}.")
    if image.dtype != np.uint8:
        raise BadSample("rgb_dtype", f"The image must be 8-bit unsigned, not {image.dtype}.")
    return image


def _checked_cloud(cloud: NDArray[Any]) -> NDArray[np.floating]:
    if cloud.ndim != 3 or cloud.shape[2] != 3:
        raise BadSample(
            "xyz_shape",
            f"The cloud must be height x width x 3: x, y and z of every pixel, not {_shape(cloud)}.",
        )
    if cloud.dtype.kind != "f" or cloud.dtype.itemsize > 8:
        raise BadSample("xyz_dtype", f"The cloud must be float16, float32 or float64, not {cloud.dtype}.")
    return cloud


def _size(array: NDArray[np.generic]) -> str:
    return f"{array.shape[0]} x {array.shape[1]}"


def _shape(array: NDArray[np.generic]) -> str:
    return " x ".join(str(side) for side in array.shape) or "a single number"
