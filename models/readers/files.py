"""Bytes or files become images, clouds and parts. One table for each chooses the reader by the file's
kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from models.readers.arrays import npy_depth, npy_xyz, npz_sample
from models.readers.depth import unproject
from models.readers.images import jpeg_rgb, png_depth, png_rgb
from models.readers.intrinsics import Intrinsics
from models.readers.kinds import kind_of, refusal
from models.readers.limits import DEFAULT_LIMITS, ReadLimits, check_bytes
from models.readers.pcd import pcd_cloud
from models.readers.ply import ply_cloud
from models.readers.tiff import tiff_depth, tiff_rgb, tiff_xyz
from models.sample import Sample, TooLarge, make_sample, narrowed

Cloud = tuple[NDArray[np.float32], NDArray[np.uint8] | None]
"""xyz (H, W, 3) float32 metres, and rgb (H, W, 3) uint8 if the file has colour."""

_Read = TypeVar("_Read")

_RGB: Mapping[str, Callable[[bytes, ReadLimits], NDArray[np.uint8]]] = {
    "PNG": png_rgb,
    "JPEG": jpeg_rgb,
    "TIFF": tiff_rgb,
}
_Size = tuple[int, int] | None
_CLOUD: Mapping[
    str, Callable[[bytes, ReadLimits, _Size], tuple[NDArray[np.floating], NDArray[np.uint8] | None]]
] = {
    "TIFF": lambda data, limits, image: (tiff_xyz(data, limits), None),
    "PLY": ply_cloud,
    "PCD": pcd_cloud,
    "NPY": lambda data, limits, image: (npy_xyz(data, limits), None),
}
_DEPTH: Mapping[str, Callable[[bytes, ReadLimits], NDArray[np.generic]]] = {
    "PNG": png_depth,
    "TIFF": tiff_depth,
    "NPY": npy_depth,
}
_PART: Mapping[str, Callable[[bytes, ReadLimits], Sample]] = {"NPZ": npz_sample}


def read_rgb(data: bytes, limits: ReadLimits = DEFAULT_LIMITS) -> NDArray[np.uint8]:
    """Read a PNG, JPEG or TIFF image: (H, W, 3) uint8. images.py lists the conversions.

    Raises BadSample: empty, unreadable, too_small, multi_frame, multi_page, unsupported_encoding, rgb_shape,
    rgb_dtype; UnsupportedType: unsupported_type, unsupported_compression; TooLarge.
    """
    check_bytes(data, limits.rgb_bytes, "image")
    return _reader(data, _RGB, "image")(data, limits)


def read_cloud(
    data: bytes, limits: ReadLimits = DEFAULT_LIMITS, *, image: tuple[int, int] | None = None
) -> Cloud:
    """Read the organised cloud in a TIFF, PLY, PCD or NPY file, and its colour if the file has colour.

    image: (H, W) of the paired image. A list of points that names no grid has the image's size, if it has as
    many points as the image has pixels.

    Pixels without return keep the file's value: NaN, infinity, 0 or a declared value. models.sample decides
    what means no return. Raises BadSample: empty, unreadable, too_small, multi_page, unorganised_cloud,
    cloud_fields, xyz_shape, xyz_dtype; UnsupportedType: unsupported_type, unsupported_compression; TooLarge.
    """
    check_bytes(data, limits.xyz_bytes, "cloud")
    xyz, rgb = _reader(data, _CLOUD, "cloud")(data, limits, image)
    return narrowed(xyz), rgb


def read_xyz(
    data: bytes, limits: ReadLimits = DEFAULT_LIMITS, *, image: tuple[int, int] | None = None
) -> NDArray[np.float32]:
    """Read the cloud alone: (H, W, 3) float32 metres. Arguments and errors are those of read_cloud."""
    return read_cloud(data, limits, image=image)[0]


def read_depth(
    data: bytes, intrinsics: Intrinsics, limits: ReadLimits = DEFAULT_LIMITS
) -> NDArray[np.float32]:
    """Compute (H, W, 3) float32 metres from a depth map; 0 means no return.

    The depth map is a 16-bit PNG, a TIFF or an NPY file of uint16 or floating point numbers.
    Raises the errors of read_cloud, and BadSample: depth_shape, depth_dtype, size_mismatch.
    """
    check_bytes(data, limits.xyz_bytes, "depth map")
    return unproject(_reader(data, _DEPTH, "depth map")(data, limits), intrinsics)


def read_npz(data: bytes, limits: ReadLimits = DEFAULT_LIMITS) -> Sample:
    """Read one part from an NPZ file. arrays.npz_sample lists the entries and the errors."""
    check_bytes(data, limits.rgb_bytes + limits.xyz_bytes, "part")
    return _reader(data, _PART, "part")(data, limits)


def read_pair(
    rgb_path: Path | None,
    xyz_path: Path | None,
    limits: ReadLimits = DEFAULT_LIMITS,
    *,
    intrinsics: Intrinsics | None = None,
) -> Sample:
    """Read one part from an image file and a cloud file.

    Args:
        rgb_path: the image. None: the colour in the cloud's file is used, if it has colour.
        xyz_path: the cloud, or the depth map if `intrinsics` is given. None: no cloud was recorded.
        limits: sizes above them are refused.
        intrinsics: the camera of the depth map.

    The sample's `missing` names the input that was not recorded. Raises the errors of the byte readers and of
    make_sample; OSError; ValueError if both paths are None.
    """
    rgb = None if rgb_path is None else read_rgb(file_bytes(rgb_path, limits.rgb_bytes), limits)
    if xyz_path is None:
        return make_sample(rgb, None)
    data = file_bytes(xyz_path, limits.xyz_bytes)
    if intrinsics is not None:
        xyz, colour = read_depth(data, intrinsics, limits), None
    else:
        xyz, colour = read_cloud(data, limits, image=None if rgb is None else rgb.shape[:2])
    return make_sample(colour if rgb is None else rgb, xyz)


def file_bytes(path: Path, most: int) -> bytes:
    """Read a file of at most `most` bytes; a larger file is refused unread. Raises TooLarge, OSError."""
    size = path.stat().st_size
    if size > most:
        raise TooLarge("too_many_bytes", f"{path.name} has {size} bytes; at most {most} are accepted.")
    return path.read_bytes()


def _reader(data: bytes, readers: Mapping[str, _Read], noun: str) -> _Read:
    reader = readers.get(kind_of(data) or "")
    if reader is None:
        raise refusal(data, tuple(readers), noun)
    return reader
