"""Bytes become images and clouds. One table for each chooses the reader by the file's
kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from models.readers.arrays import npy_depth, npy_grid
from models.readers.bmp import bmp_image
from models.readers.images import jpeg_image, png_depth, png_heights, png_image
from models.readers.kinds import kind_of, may_have_16_bits, refusal
from models.readers.limits import DEFAULT_LIMITS, ReadLimits, check_bytes
from models.readers.pcd import pcd_cloud
from models.readers.pixels import Pixels
from models.readers.ply import ply_cloud
from models.readers.stored import Stored
from models.readers.tiff import tiff_depth, tiff_grid, tiff_image
from models.sample import TooLarge

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
    "TIFF": lambda data, limits, image: Stored(tiff_grid(data, limits)),
    "PLY": ply_cloud,
    "PCD": pcd_cloud,
    "NPY": lambda data, limits, image: Stored(npy_grid(data, limits)),
    "PNG": lambda data, limits, image: Stored(png_heights(data, limits)),
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
    data: bytes, limits: ReadLimits = DEFAULT_LIMITS, *, image: tuple[int, int] | None = None
) -> Stored:
    """Read the organised cloud in a TIFF, PLY, PCD or NPY file, or the heights in a TIFF, PNG or NPY file.

    image: (H, W) of the paired image. A list of points that names no grid has the image's size, if it has as
    many points as the image has pixels.

    Pixels without return keep the file's value: NaN, infinity, 0 or a declared value. models.sample decides
    what means no return. Raises BadSample: empty, unreadable, too_small, multi_page, unorganised_cloud,
    cloud_fields, xyz_shape, xyz_dtype; UnsupportedType: unsupported_type, unsupported_compression; TooLarge.
    """
    check_bytes(data, limits.xyz_bytes, "cloud")
    return _reader(data, _CLOUD, "cloud")(data, limits, image)


def read_depth(data: bytes, limits: ReadLimits = DEFAULT_LIMITS) -> NDArray[np.generic]:
    """Read a depth map, (H, W) as stored: a 16-bit PNG, or a TIFF or NPY file of uint16 or floating point.

    Raises the errors of read_cloud, and BadSample: depth_shape, depth_dtype.
    """
    check_bytes(data, limits.xyz_bytes, "depth map")
    return _reader(data, _DEPTH, "depth map")(data, limits)


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
