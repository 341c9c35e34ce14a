"""Bytes become images and clouds. One table for each chooses the reader by the file's
kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from models.readers.arrays import npy_depth, npy_xyz
from models.readers.bmp import bmp_image
from models.readers.depth import unproject
from models.readers.images import jpeg_image, png_depth, png_image
from models.readers.kinds import kind_of, may_have_16_bits, refusal
from models.readers.limits import DEFAULT_LIMITS, ReadLimits, check_bytes
from models.readers.pcd import pcd_cloud
from models.readers.pixels import Pixels
from models.readers.ply import ply_cloud
from models.readers.stored import Stored
from models.readers.tiff import tiff_depth, tiff_image, tiff_xyz
from models.readers.units import agreed, in_metres
from models.sample import TooLarge
from recipes.intrinsics import Intrinsics
from recipes.sensor import Unit


class Cloud(NamedTuple):
    """xyz: (H, W, 3) float32, metres. rgb: (H, W, 3) uint8 if the file has colour. unit: of the file."""

    xyz: NDArray[np.float32]
    rgb: NDArray[np.uint8] | None
    unit: Unit


_Read = TypeVar("_Read")
_HEAD_BYTES = 32

_IMAGE: Mapping[str, Callable[[bytes, ReadLimits], Pixels]] = {
    "PNG": png_image,
    "JPEG": jpeg_image,
    "TIFF": tiff_image,
    "BMP": bmp_image,
}
_Size = tuple[int, int] | None
_CLOUD: Mapping[str, Callable[[bytes, ReadLimits, _Size], Stored]] = {
    "TIFF": lambda data, limits, image: Stored(tiff_xyz(data, limits)),
    "PLY": ply_cloud,
    "PCD": pcd_cloud,
    "NPY": lambda data, limits, image: Stored(npy_xyz(data, limits)),
}
_DEPTH: Mapping[str, Callable[[bytes, ReadLimits], NDArray[np.generic]]] = {
    "PNG": png_depth,
    "TIFF": tiff_depth,
    "NPY": npy_depth,
}


def read_rgb(data: bytes, limits: ReadLimits = DEFAULT_LIMITS, bits: int | None = None) -> NDArray[np.uint8]:
    """Read a PNG, JPEG, TIFF or BMP image: (H, W, 3) uint8. pixels.py lists the conversions.

    bits: significant bits of 16-bit values, where the file does not say them. None means 16.

    Raises the errors of read_pixels, and BadSample image_bits.
    """
    return read_pixels(data, limits).rgb(bits)


def read_pixels(data: bytes, limits: ReadLimits = DEFAULT_LIMITS) -> Pixels:
    """Read an image as stored, before it becomes 8-bit RGB.

    Raises BadSample: empty, unreadable, too_small, multi_frame, multi_page, unsupported_encoding, rgb_shape,
    rgb_dtype; UnsupportedType: unsupported_type, unsupported_compression; TooLarge.
    """
    check_bytes(data, limits.rgb_bytes, "image")
    return _reader(data, _IMAGE, "image")(data, limits)


def largest_value(path: Path, limits: ReadLimits = DEFAULT_LIMITS) -> int | None:
    """The largest value of a 16-bit image that does not say its significant bits; None for other images.

    Of most 8-bit images only the head is read. Raises the errors of read_pixels; OSError.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if not may_have_16_bits(head):
        return None
    return read_pixels(file_bytes(path, limits.rgb_bytes), limits).largest


def read_cloud(
    data: bytes,
    limits: ReadLimits = DEFAULT_LIMITS,
    *,
    image: tuple[int, int] | None = None,
    unit: Unit | None = None,
) -> Cloud:
    """Read the organised cloud in a TIFF, PLY, PCD or NPY file, and its colour if the file has colour.

    image: (H, W) of the paired image. A list of points that names no grid has the image's size, if it has as
    many points as the image has pixels.
    unit: the declared unit of the coordinates. None: the unit that the file names, else metres.

    Pixels without return keep the file's value: NaN, infinity, 0 or a declared value. models.sample decides
    what means no return. Raises BadSample: empty, unreadable, too_small, multi_page, unorganised_cloud,
    cloud_fields, xyz_shape, xyz_dtype, unit_contradicted; UnsupportedType: unsupported_type,
    unsupported_compression; TooLarge.
    """
    check_bytes(data, limits.xyz_bytes, "cloud")
    stored = _reader(data, _CLOUD, "cloud")(data, limits, image)
    chosen = agreed(unit, stored.unit)
    return Cloud(in_metres(stored.xyz, chosen), stored.rgb, chosen)


def read_depth(
    data: bytes,
    intrinsics: Intrinsics,
    limits: ReadLimits = DEFAULT_LIMITS,
    *,
    unit: Unit | None = None,
) -> NDArray[np.float32]:
    """Compute (H, W, 3) float32 metres from a depth map; 0 means no return.

    The depth map is a 16-bit PNG, a TIFF or an NPY file of uint16 or floating point numbers.
    unit: the declared unit, for intrinsics without a depth_scale.
    Raises the errors of read_cloud, and BadSample: depth_shape, depth_dtype, size_mismatch.
    """
    check_bytes(data, limits.xyz_bytes, "depth map")
    return unproject(_reader(data, _DEPTH, "depth map")(data, limits), intrinsics, unit)


def file_bytes(path: Path, most: int) -> bytes:
    """Read a file of at most `most` bytes; a larger file is refused unread. Raises TooLarge, OSError."""
    size = path.stat().st_size
    if size > most:
        raise TooLarge("too_many_bytes", f"{path.name} has {size} bytes; at most {most} are accepted.")
    return path.read_bytes()


def require(data: bytes, kind: str, noun: str) -> None:
    """Raise UnsupportedType if the bytes are no file of that kind."""
    _reader(data, {kind: kind}, noun)


def _reader(data: bytes, readers: Mapping[str, _Read], noun: str) -> _Read:
    reader = readers.get(kind_of(data) or "")
    if reader is None:
        raise refusal(data, tuple(readers), noun)
    return reader
