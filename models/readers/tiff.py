"""TIFF clouds, images and depth maps. The page's tags are checked before a pixel is decoded.

Accepted: one page, little or big endian, classic or BigTIFF, strips or tiles, samples together or in
separate planes, uncompressed, deflate, LZW or PackBits. Every form gives the same numbers. Our own checks are
needed because tifffile can hang or crash on a damaged page.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tifffile import PHOTOMETRIC, TiffFile, TiffPage

from models.readers.heights import is_value
from models.readers.limits import ReadLimits, check_bytes, check_decoded, check_pixels, decoding
from models.readers.pixels import Pixels, without_alpha
from models.sample import BadSample, UnsupportedType

_COMPRESSIONS = {1: "none", 5: "LZW", 8: "deflate", 32946: "deflate", 32773: "PackBits"}


_MAX_SAMPLE_VALUE = 281
"""The tag of the largest value that the camera can write."""
_NO_DATA = 42113
"""The tag of the number that means no return, as text: GDAL's."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a page must hold.

    role: begins the codes of refusals. channels: the numbers of values for each pixel.
    """

    role: str
    channels: tuple[int, ...]
    dtypes: tuple[str, ...]


_CLOUD = _Wanted("xyz", (3,), ("float32", "float64"))
_HEIGHTS = _Wanted("xyz", (1,), ("uint8", "int16", "uint16", "int32", "uint32", "float32", "float64"))
_IMAGE = _Wanted("rgb", (1, 2, 3, 4), ("uint8", "uint16"))
_DEPTH = _Wanted("depth", (1,), ("uint16", "float32", "float64"))


def tiff_grid(data: bytes, limits: ReadLimits) -> NDArray[np.generic]:
    """Read a cloud, (H, W, 3) float32 or float64 as stored, or one channel: (H, W) numbers as stored.

    The z or height that the file itself names as no return becomes NaN; whole numbers become float64 for it.
    Raises BadSample: unreadable, multi_page, xyz_shape, xyz_dtype, too_small; UnsupportedType; TooLarge.
    """
    check_bytes(data, limits.xyz_bytes, "TIFF cloud")
    with decoding("TIFF cloud"), _only_page(data) as page:
        wanted = _HEIGHTS if page.samplesperpixel == 1 else _CLOUD
        values = _values(page, len(data), limits.xyz_pixels, wanted, limits)
        number = _no_return(page)
        if number is None:
            return values
        gone = is_value(values[..., 2] if values.ndim == 3 else values, number)
        if gone.any():
            values = values.astype(values.dtype if values.dtype.kind == "f" else np.float64)
            values[gone] = np.nan
        return values


def tiff_image(data: bytes, limits: ReadLimits) -> Pixels:
    """Read an image: grey, RGB or a palette, with or without alpha, of 8 or 16 bits.

    Raises the errors of tiff_grid, with rgb_shape and rgb_dtype, and BadSample unsupported_encoding.
    """
    check_bytes(data, limits.rgb_bytes, "TIFF image")
    with decoding("TIFF image"), _only_page(data) as page:
        values = without_alpha(_values(page, len(data), limits.rgb_pixels, _IMAGE, limits))
        kind = (page.photometric, values.ndim, values.dtype.name)
        if page.photometric in (PHOTOMETRIC.MINISBLACK, PHOTOMETRIC.RGB):
            return Pixels(values, _stated_bits(page))
        if kind == (PHOTOMETRIC.MINISWHITE, 2, "uint8"):
            return Pixels(np.invert(values))
        if kind == (PHOTOMETRIC.PALETTE, 2, "uint8"):
            return Pixels(_palette(page)[values])
    raise BadSample(
        "unsupported_encoding",
        "The colours of the TIFF are not accepted. Write grey or RGB (not raw sensor pattern, CMYK, "
        "YCbCr or Lab).",
    )


def tiff_depth(data: bytes, limits: ReadLimits) -> NDArray[np.generic]:
    """Read a depth map: (H, W) uint16, float32 or float64 as stored; 0 where the file names no return.

    Raises the errors of tiff_grid, with depth_shape and depth_dtype.
    """
    check_bytes(data, limits.xyz_bytes, "depth TIFF")
    with decoding("depth TIFF"), _only_page(data) as page:
        values = _values(page, len(data), limits.xyz_pixels, _DEPTH, limits)
        number = _no_return(page)
        return values if number is None else np.where(is_value(values, number), values.dtype.type(0), values)


@contextmanager
def _only_page(data: bytes) -> Iterator[TiffPage]:
    """The page of a TIFF that has one page."""
    _check_single_page(data)
    with TiffFile(io.BytesIO(data)) as tiff:
        page = tiff.pages[0]
        if not isinstance(page, TiffPage):
            raise TypeError("the first page is damaged")
        yield page


def _values(page: TiffPage, size: int, most: int, wanted: _Wanted, limits: ReadLimits) -> NDArray:
    """(H, W) or (H, W, channels), in the machine's byte order. size: of the file, bytes. most: pixels."""
    _check_page(page, most, wanted, limits)
    _check_segments(page, size, limits)
    array = page.asarray(maxworkers=1)
    if page.axes == "SYX":
        array = np.moveaxis(array, 0, 2)
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("="))


def _no_return(page: TiffPage) -> float | None:
    """The number that the page names as no return; None where it names none."""
    tag = page.tags.get(_NO_DATA)
    with suppress(ValueError):
        return None if tag is None else float(str(tag.value))
    return None


def _stated_bits(page: TiffPage) -> int | None:
    """The significant bits of the values, if the page says a largest value of all ones, such as 4095.

    Other largest values are those of one picture, not of the camera.
    """
    tag = page.tags.get(_MAX_SAMPLE_VALUE)
    largest = {tag.value} if tag is not None and isinstance(tag.value, int) else set(tag.value if tag else ())
    most = max(largest, default=0)
    return most.bit_length() if most > 0xFF and most & (most + 1) == 0 else None


def _palette(page: TiffPage) -> NDArray[np.uint8]:
    """(256, 3) colours. Raises ValueError where the page has none."""
    colours = page.colormap
    if colours is None or colours.shape != (3, 256):
        raise ValueError("the palette is missing")
    return (colours >> 8 if colours.max() > 0xFF else colours).astype(np.uint8).T


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


def _check_page(page: TiffPage, most: int, wanted: _Wanted, limits: ReadLimits) -> None:
    role = wanted.role
    if page.compression not in _COMPRESSIONS:
        raise UnsupportedType(
            "unsupported_compression",
            "The TIFF's compression is not accepted. Write it uncompressed or with deflate, LZW or PackBits.",
        )
    check_pixels(page.imagelength, page.imagewidth, most, limits, "TIFF")
    height, width = page.imagelength, page.imagewidth
    layouts: set[tuple[str, tuple[int, ...]]] = set()
    for channels in wanted.channels:
        if channels == 1:
            layouts.add(("YX", (height, width)))
        else:
            layouts |= {("YXS", (height, width, channels)), ("SYX", (channels, height, width))}
    if (page.axes, page.shape) not in layouts:
        shapes = sorted({f"height x width{f' x {count}' if count > 1 else ''}" for count in wanted.channels})
        raise BadSample(
            f"{role}_shape",
            f"The TIFF must be {' or '.join(shapes)}, with one value per pixel for each channel.",
        )
    dtype = np.dtype("V") if page.dtype is None else page.dtype
    if dtype.name not in wanted.dtypes or page.bitspersample != 8 * dtype.itemsize:
        raise BadSample(f"{role}_dtype", f"The TIFF must hold {' or '.join(wanted.dtypes)} numbers.")


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
