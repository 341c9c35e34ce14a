"""TIFF clouds, images and depth maps. The page's tags are checked before a pixel is decoded.

Accepted: one page, little or big endian, classic or BigTIFF, strips or tiles, samples together or in
separate planes, uncompressed, deflate, LZW or PackBits. Every form gives the same numbers. Our own checks are
needed because tifffile can hang or crash on a damaged page.
"""

from __future__ import annotations

import io
import struct

import numpy as np
from numpy.typing import NDArray
from tifffile import TiffFile, TiffPage

from models.readers.limits import ReadLimits, check_bytes, check_decoded, check_pixels, decoding
from models.sample import BadSample, UnsupportedType

_COMPRESSIONS = {1: "none", 5: "LZW", 8: "deflate", 32946: "deflate", 32773: "PackBits"}


def tiff_xyz(data: bytes, limits: ReadLimits) -> NDArray[np.floating]:
    """Read a cloud: (H, W, 3) float32 or float64 as stored.

    Raises BadSample: unreadable, multi_page, xyz_shape, xyz_dtype, too_small; UnsupportedType; TooLarge.
    """
    check_bytes(data, limits.xyz_bytes, "TIFF cloud")
    with decoding("TIFF cloud"):
        return _decoded(data, limits.xyz_pixels, 3, ("float32", "float64"), "xyz", limits)


def tiff_rgb(data: bytes, limits: ReadLimits) -> NDArray[np.uint8]:
    """Read an image: (H, W, 3) uint8. Raises the errors of tiff_xyz, with rgb_shape and rgb_dtype."""
    check_bytes(data, limits.rgb_bytes, "TIFF image")
    with decoding("TIFF image"):
        return _decoded(data, limits.rgb_pixels, 3, ("uint8",), "rgb", limits)


def tiff_depth(data: bytes, limits: ReadLimits) -> NDArray[np.generic]:
    """Read a depth map: (H, W) uint16, float32 or float64 as stored.

    Raises the errors of tiff_xyz, with depth_shape and depth_dtype.
    """
    check_bytes(data, limits.xyz_bytes, "depth TIFF")
    with decoding("depth TIFF"):
        return _decoded(data, limits.xyz_pixels, 1, ("uint16", "float32", "float64"), "depth", limits)


def _decoded(
    data: bytes, most: int, channels: int, dtypes: tuple[str, ...], role: str, limits: ReadLimits
) -> NDArray:
    """(H, W, channels) or, for one channel, (H, W), in the machine's byte order."""
    _check_single_page(data)
    with TiffFile(io.BytesIO(data)) as tiff:
        page = tiff.pages[0]
        if not isinstance(page, TiffPage):
            raise TypeError("the first page is damaged")
        _check_page(page, most, channels, dtypes, role, limits)
        _check_segments(page, len(data), limits)
        array = page.asarray(maxworkers=1)
    if page.axes == "SYX":
        array = np.moveaxis(array, 0, 2)
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("="))


def _check_single_page(data: bytes) -> None:
    """Accept one image file directory without a link to the next: a chain may be endless or a circle."""
    order = "<" if data[:2] == b"II" else ">"
    if data[2:4] in (b"+\x00", b"\x00+"):
        (first,) = struct.unpack_from(order + "Q", data, 8)
        (entries,) = struct.unpack_from(order + "Q", data, first)
        (following,) = struct.unpack_from(order + "Q", data, first + 8 + 20 * entries)
    else:
        (first,) = struct.unpack_from(order + "I", data, 4)
        (entries,) = struct.unpack_from(order + "H", data, first)
        (following,) = struct.unpack_from(order + "I", data, first + 2 + 12 * entries)
    if following:
        raise BadSample(
            "multi_page",
            "The TIFF has more than one page. Write one page of height x width x channels; "
            'with tifffile, use photometric="rgb".',
        )


def _check_page(
    page: TiffPage, most: int, channels: int, dtypes: tuple[str, ...], role: str, limits: ReadLimits
) -> None:
    if page.compression not in _COMPRESSIONS:
        raise UnsupportedType(
            "unsupported_compression",
            "The TIFF's compression is not accepted. Write it uncompressed or with deflate, LZW or PackBits.",
        )
    check_pixels(page.imagelength, page.imagewidth, most, limits, "TIFF")
    height, width = page.imagelength, page.imagewidth
    layouts = {"YXS": (height, width, channels), "SYX": (channels, height, width)}
    if channels == 1:
        layouts = {"YX": (height, width)}
    if page.axes not in layouts or page.shape != layouts[page.axes]:
        shape = "height x width" + (f" x {channels}" if channels > 1 else "")
        raise BadSample(
            f"{role}_shape", f"The TIFF must be {shape}, with one value per pixel for each channel."
        )
    dtype = np.dtype("V") if page.dtype is None else page.dtype
    if dtype.name not in dtypes or page.bitspersample != 8 * dtype.itemsize:
        raise BadSample(f"{role}_dtype", f"The TIFF must hold {' or '.join(dtypes)} numbers.")


def _check_segments(page: TiffPage, size: int, limits: ReadLimits) -> None:
    """Check the strips or tiles: their number fits the shape, they lie inside the file, they do not overlap,
    and their decoded size is within the limits. Raises ValueError or TooLarge."""
    offsets, counts = page.dataoffsets, page.databytecounts
    itemsize = 0 if page.dtype is None else page.dtype.itemsize
    segment = int(np.prod([int(side) for side in page.chunks], dtype=object)) * itemsize
    needed = int(np.prod([int(side) for side in page.chunked], dtype=object))
    decoded = max(page.nbytes, segment * needed if page.is_tiled else segment)
    check_decoded(decoded, size, limits, "TIFF")
    if len(offsets) != needed or len(counts) != needed:
        raise ValueError("the number of strips does not fit the shape")
    spans = sorted(zip(offsets, counts, strict=True))
    ends = [0, *(offset + count for offset, count in spans)]
    if any(count <= 0 or offset < end for (offset, count), end in zip(spans, ends[:-1], strict=True)):
        raise ValueError("strips overlap or are empty")
    if ends[-1] > size:
        raise ValueError("strips reach past the end of the file")
    if page.compression == 1 and not page.is_tiled and sum(counts) != page.nbytes:
        raise ValueError("the strips do not hold as many pixels as the header says")
