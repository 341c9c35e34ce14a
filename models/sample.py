"""One part as every reader leaves it: an RGB image and its organised point cloud, pixel for pixel.

What "no return" is, is decided here and nowhere else: `make_sample` knows what holds for every sensor,
`without_returns` what a product's recipe declares beside it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from recipes.extraction import Modality

MIN_SIDE = 32
"""Shortest side of a part, pixels: below it there is no border strip and no object to speak of."""

MAX_RANGE = 100.0
"""Largest coordinate a part may have, metres. No line camera sees further; millimetres taken for metres
do."""


class BadSample(ValueError):
    """A part that parsed but cannot be scored. `code` is stable; the message says what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class UnsupportedType(BadSample):
    """Bytes of a kind that no reader accepts."""


class TooLarge(BadSample):
    """More bytes, pixels or points (also once decompressed) than the limits allow."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One part.

    rgb: (H, W, 3) uint8. xyz: (H, W, 3) float32, metres, camera frame; exactly 0, 0, 0 where `valid` is
    False; of any size until `check_range` has looked. valid: (H, W) bool, True where the sensor returned a
    point.
    missing: what the part was recorded without, all zero here; a black image or an empty cloud that was
    recorded is not missing.
    """

    rgb: NDArray[np.uint8]
    xyz: NDArray[np.float32]
    valid: NDArray[np.bool_]
    missing: Modality | None = None


def make_sample(rgb: ArrayLike | None, xyz: ArrayLike | None) -> Sample:
    """Join an image and a cloud into a part.

    A pixel has no return when any of its coordinates is NaN or infinite (Kinect drivers and PCL write both),
    or when all three are 0.

    rgb: (H, W, 3) uint8. xyz: (H, W, 3) float16, float32 or float64, metres; not changed. One of them may
    be None: not recorded. Raises ValueError if both are; BadSample: rgb_shape, rgb_dtype, xyz_shape,
    xyz_dtype, size_mismatch, too_small.
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
            f"The image is {_size(image)} and the cloud {_size(cloud)} (height x width). They must be "
            "equal, pixel for pixel: register the image to the cloud, or check that height and "
            "width are not swapped.",
        )
    if min(image.shape[:2]) < MIN_SIDE:
        raise BadSample(
            "too_small", f"The part is {_size(image)} pixels; both sides must be at least {MIN_SIDE}."
        )
    valid = _returns(cloud)
    metres = narrowed(np.where(valid[..., None], cloud, cloud.dtype.type(0)))
    return Sample(rgb=np.ascontiguousarray(image), xyz=metres, valid=valid, missing=missing)


def without_returns(sample: Sample, no_return: float | None) -> Sample:
    """The part without the pixels whose z is `no_return`, metres: some sensors write -1 or 9999 where they
    saw nothing, in all three coordinates or in z alone. None declares nothing.

    Equal to within 1e-6 of it, so that a depth times its scale is met, or equal to what float16 makes of it.
    """
    if no_return is None:
        return sample
    z = sample.xyz[..., 2].astype(
        np.float64
    )  # some write -3.4e38, from which nothing can be taken in float32
    with np.errstate(over="ignore"):
        half = float(np.float16(no_return))
    declared = (np.abs(z - no_return) <= 1e-6 * abs(no_return)) | (z == half)
    valid = sample.valid & ~declared
    return replace(sample, xyz=np.where(valid[..., None], sample.xyz, np.float32(0)), valid=valid)


def check_range(sample: Sample) -> None:
    """Raises BadSample out_of_range where a coordinate is beyond MAX_RANGE."""
    # Two reductions, not np.abs: no temporary the size of the cloud.
    furthest = max(float(sample.xyz.max()), -float(sample.xyz.min()))
    if furthest > MAX_RANGE:
        raise BadSample(
            "out_of_range",
            f"A coordinate is {furthest:.6g} m from the camera; the most accepted is {MAX_RANGE:g} m. "
            "Coordinates must be metres: if the cloud is in millimetres, divide it by 1000; for a depth map, "
            "check depth_scale (metres a unit: 0.001 for millimetres). If the sensor writes a number where "
            "it sees nothing, build with --set preparation.no_return=NUMBER.",
        )


def narrowed(xyz: NDArray[np.floating]) -> NDArray[np.float32]:
    """As float32, without turning a large finite number into infinity, which would pass for "no return"."""
    if xyz.dtype == np.float64:
        most = float(np.finfo(np.float32).max)
        xyz = np.where(np.isfinite(xyz), np.clip(xyz, -most, most), xyz)
    return np.ascontiguousarray(xyz, dtype=np.float32)


def _returns(cloud: NDArray[np.floating]) -> NDArray[np.bool_]:
    """(H, W) bool, True where the sensor returned a point."""
    # One pass for NaN and infinity together: x - x is 0 for finite x and NaN otherwise, and so is their sum.
    with np.errstate(invalid="ignore"):
        valid = (cloud[..., 0] - cloud[..., 0]) + (cloud[..., 1] - cloud[..., 1]) == (
            cloud[..., 2] - cloud[..., 2]
        )
    valid &= (cloud[..., 0] != 0) | (cloud[..., 1] != 0) | (cloud[..., 2] != 0)
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
            f"The cloud must be height x width x 3 (x, y, z of every pixel), not {_shape(cloud)}.",
        )
    if cloud.dtype.kind != "f" or cloud.dtype.itemsize > 8:
        raise BadSample("xyz_dtype", f"The cloud must be float32 (or float16, float64), not {cloud.dtype}.")
    return cloud


def _size(array: NDArray[np.generic]) -> str:
    return f"{array.shape[0]} x {array.shape[1]}"


def _shape(array: NDArray[np.generic]) -> str:
    return " x ".join(str(side) for side in array.shape) or "a single number"
