"""NPY files: one array. Nothing is ever unpickled."""

from __future__ import annotations

import io
import math
import struct

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray

from models.readers.limits import ReadLimits, check_bytes, check_decoded, check_pixels, decoding
from models.sample import BadSample, TooLarge

_FLOAT_CLOUD = "The NPY cloud must hold float32 numbers (float16 and float64 are accepted too)."
HEADER_BYTES = 10_000


def npy_grid(data: bytes, limits: ReadLimits) -> NDArray[np.generic]:
    """Read an NPY cloud, (H, W, 3) float16, float32 or float64 as stored, or heights: (H, W) as stored.

    Raises BadSample: unreadable, unorganised_cloud, xyz_shape, xyz_dtype, too_small; TooLarge.
    """
    array = npy_coordinates(data, limits)
    if array.ndim == 3 and array.dtype.kind != "f":
        raise BadSample("xyz_dtype", _FLOAT_CLOUD)
    return array


def npy_coordinates(data: bytes, limits: ReadLimits) -> NDArray[np.generic]:
    """(H, W, 3) or (H, W) numbers as stored."""
    check_bytes(data, limits.xyz_bytes, "NPY cloud")
    array = npy_array(data, limits, "NPY cloud")
    if array.ndim == 2 and array.shape[1] == 3:
        raise BadSample(
            "unorganised_cloud",
            f"The NPY cloud is a list of {array.shape[0]} points. If it has one point for every pixel of the "
            "image, row by row, write it as height x width x 3. Else record the organised cloud.",
        )
    if array.ndim != 2 and (array.ndim != 3 or array.shape[2] != 3):
        raise BadSample("xyz_shape", "The NPY cloud must be height x width x 3: x, y and z of every pixel.")
    if array.dtype.itemsize > 8:
        raise BadSample("xyz_dtype", _FLOAT_CLOUD)
    check_pixels(array.shape[0], array.shape[1], limits.xyz_pixels, limits, "NPY cloud")
    return array


def npy_depth(data: bytes, limits: ReadLimits) -> NDArray[np.generic]:
    """Read an NPY depth map: (H, W) numbers as stored.

    Raises BadSample: unreadable, depth_shape, too_small; TooLarge.
    """
    check_bytes(data, limits.xyz_bytes, "NPY depth")
    array = npy_array(data, limits, "NPY depth")
    if array.ndim != 2:
        raise BadSample("depth_shape", "The NPY depth must be height x width.")
    check_pixels(array.shape[0], array.shape[1], limits.xyz_pixels, limits, "NPY depth")
    return array


def npy_array(data: bytes, limits: ReadLimits, noun: str) -> NDArray[np.generic]:
    """Read an NPY file: an array of numbers in the machine's byte order and C order.

    The header is parsed first. Its size is compared with the bytes that follow before an array is allocated.
    Raises BadSample: unreadable, npy_dtype; TooLarge.
    """
    with decoding(noun):
        shape, fortran, dtype, start = npy_header(data)
        if dtype.hasobject or dtype.kind not in "fui" or dtype.subdtype is not None:
            raise BadSample("npy_dtype", f"The {noun} must hold integers or floating point numbers.")
        size = math.prod(shape) * dtype.itemsize
        check_decoded(size, len(data), limits, noun)
        if size != len(data) - start:
            raise ValueError("the size in the header is not the size of the file")
        array = np.frombuffer(data, dtype, offset=start).reshape(shape, order="F" if fortran else "C")
        return np.ascontiguousarray(array, dtype=dtype.newbyteorder("="))


def npy_header(data: bytes) -> tuple[tuple[int, ...], bool, np.dtype, int]:
    """Shape, Fortran order, dtype and the position of the first number, bytes."""
    version = (data[6], data[7])
    if version not in ((1, 0), (2, 0)):
        raise BadSample("unreadable", "The NPY file has an unknown version. Write it as version 1.0 or 2.0.")
    lengths = struct.Struct("<H" if version == (1, 0) else "<I")
    (length,) = lengths.unpack_from(data, 8)
    if length > HEADER_BYTES:
        raise TooLarge(
            "too_many_bytes", f"The NPY header has {length} bytes; at most {HEADER_BYTES} are accepted."
        )
    start = 8 + lengths.size + length
    read = npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
    shape, fortran, dtype = read(io.BytesIO(data[8:start]), max_header_size=HEADER_BYTES)
    if any(side < 0 for side in shape):
        raise ValueError("a negative side")
    return shape, fortran, dtype, start
