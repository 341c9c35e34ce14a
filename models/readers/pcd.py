"""Organised PCD clouds (Point Cloud Library, version 0.7). We parse the header; NumPy reads the numbers.

Our own parser is needed because it checks sizes before memory is allocated. A cloud with HEIGHT above 1 is
organised. DATA may be ascii, binary or binary_compressed (LZF). Colour is PCL's: a field rgb or rgba with the
32 bits 0xAARRGGBB, declared as float or unsigned; or a field for each colour, as in a PLY file.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from models.readers.limits import ReadLimits, check_bytes, check_decoded, check_pixels, decoding
from models.readers.list_of_points import check_rows
from models.readers.makers import advice, notes
from models.readers.ply import ascii_points, named_colour
from models.readers.stored import Stored
from models.readers.units import unit_in
from models.sample import BadSample

_HEADER_BYTES = 16_384
_MAX_FIELDS = 64
_NUMBERS = {"F": "f", "I": "i", "U": "u"}
_COLOURS = ("rgb", "rgba")
_MOST_COLOUR = 0xFFFFFF
_NEEDED = ("FIELDS", "SIZE", "TYPE", "WIDTH", "HEIGHT", "DATA")
_OLD_WORDS = {"COLUMNS": "FIELDS"}
"""Words of older versions, and the word of today."""


@dataclass(frozen=True, slots=True)
class _Header:
    """dtype: one point, little endian. encoding: value of DATA. start: position of the first number,
    bytes."""

    dtype: np.dtype
    height: int
    width: int
    encoding: str
    start: int


def pcd_cloud(data: bytes, limits: ReadLimits, image: tuple[int, int] | None = None) -> Stored:
    """Read xyz (H, W, 3) float32 or float64 as stored, and rgb (H, W, 3) uint8 if the points have colour.

    image: (H, W) of the paired image, for a cloud of HEIGHT or WIDTH 1.
    Raises BadSample: unreadable, unorganised_cloud, cloud_fields, too_small; TooLarge.
    """
    check_bytes(data, limits.xyz_bytes, "PCD cloud")
    with decoding("PCD cloud"):
        header = _header(data)
        is_list = 1 in (header.height, header.width)
        if is_list:
            height, width = _grid(header.height * header.width, data, image)
            header = replace(header, height=height, width=width)
        check_pixels(header.height, header.width, limits.xyz_pixels, limits, "PCD cloud")
        count = header.height * header.width
        check_decoded(count * header.dtype.itemsize, len(data), limits, "PCD cloud")
        points = _POINTS[header.encoding](data, header, count)
        xyz = np.stack([points[axis] for axis in "xyz"], axis=1)
        xyz = xyz.reshape(header.height, header.width, 3)
        if is_list:
            check_rows(xyz)
        return Stored(xyz, _colour(points, header), unit_in(notes(data)))


def _grid(count: int, data: bytes, image: tuple[int, int] | None) -> tuple[int, int]:
    """(height, width) for a cloud of HEIGHT or WIDTH 1: the image's, if it has as many pixels.

    Raises BadSample.
    """
    if image is not None and image[0] * image[1] == count and min(image) > 1:
        return image
    raise BadSample(
        "unorganised_cloud",
        f"The PCD cloud is not organised: it is one line of {count} points. Scoring needs one point for "
        "every pixel of the image. Record the organised cloud (HEIGHT = rows of the image), and do not "
        f"filter or downsample it.{advice(data)}",
    )


def _header(data: bytes) -> _Header:
    entries: dict[str, list[str]] = {}
    start = 0
    while "DATA" not in entries:
        end = data.index(b"\n", start, _HEADER_BYTES) + 1
        words = data[start:end].decode("utf-8-sig", "replace").split()
        start = end
        if words and not words[0].startswith("#"):
            entries[_OLD_WORDS.get(words[0], words[0])] = words[1:]
    if missing := [word for word in _NEEDED if not entries.get(word)]:
        raise BadSample("unreadable", f"The PCD header has no line {missing[0]}. Write the file again.")
    encoding = entries["DATA"][0].lower()
    if encoding not in _POINTS:
        raise BadSample(
            "unsupported_encoding", f"The PCD's DATA must be {', '.join(_POINTS)}. Write the cloud as binary."
        )
    height, width = (int(entries[name][0]) for name in ("HEIGHT", "WIDTH"))
    count = int(entries["POINTS"][0]) if entries.get("POINTS") else height * width
    if height < 1 or width < 1 or height * width != count:
        raise ValueError("WIDTH x HEIGHT is not POINTS")
    return _Header(_point_dtype(entries), height, width, encoding, start)


def _point_dtype(entries: dict[str, list[str]]) -> np.dtype:
    names = entries["FIELDS"]
    if len(names) > _MAX_FIELDS:
        raise BadSample("cloud_fields", f"The PCD cloud has more than {_MAX_FIELDS} fields.")
    counts = entries.get("COUNT", ["1"] * len(names))
    fields: list[tuple[str, str, tuple[int, ...]]] = []
    for name, kind, size, times in zip(names, entries["TYPE"], entries["SIZE"], counts, strict=True):
        unique = f"_{len(fields)}" if name == "_" else name  # PCL pads points with fields named _
        shape = () if times == "1" else (int(times),)
        fields.append((unique, f"<{_NUMBERS[kind]}{int(size)}", shape))
    dtype = np.dtype(fields)
    for axis in "xyz":
        if axis not in names or dtype[axis] not in (np.dtype("<f4"), np.dtype("<f8")):
            raise BadSample(
                "cloud_fields", "The PCD's points must have x, y and z with TYPE F and SIZE 4 or 8."
            )
    return dtype


def _ascii(data: bytes, header: _Header, count: int) -> NDArray[np.void]:
    return ascii_points(data[header.start :], header.dtype, count)


def _binary(data: bytes, header: _Header, count: int) -> NDArray[np.void]:
    return np.frombuffer(data, header.dtype, count, header.start)


def _compressed(data: bytes, header: _Header, count: int) -> NDArray[np.void]:
    """LZF. The decoded bytes hold all values of the first field, then all of the second, and so on."""
    encoded, decoded = struct.unpack_from("<II", data, header.start)
    body = data[header.start + 8 : header.start + 8 + encoded]
    if len(body) != encoded or decoded != count * header.dtype.itemsize:
        raise ValueError("the compressed block does not fit the header")
    raw = imagecodecs.lzf_decode(body, out=decoded)
    if len(raw) != decoded:
        raise ValueError("the compressed block is shorter than its declared size")
    points = np.empty(count, header.dtype)
    at = 0
    for name in header.dtype.names or ():
        field = header.dtype[name]
        column = np.frombuffer(raw, field.base, count * (field.itemsize // field.base.itemsize), at)
        points[name] = column.reshape(count, *field.shape)
        at += count * field.itemsize
    return points


def _colour(points: NDArray[np.void], header: _Header) -> NDArray[np.uint8] | None:
    names = header.dtype.names or ()
    name = next((name for name in _COLOURS if name in names and header.dtype[name].itemsize == 4), None)
    if name is None:
        return named_colour(points, header.height, header.width)
    packed = points[name]
    if packed.dtype.kind == "f" and _are_whole(packed):
        packed = np.where(np.isfinite(packed), packed, 0).astype("<u4")
    bits = np.ascontiguousarray(packed).view(np.uint8)  # blue, green, red, alpha: little endian
    return np.ascontiguousarray(bits.reshape(header.height, header.width, 4)[..., 2::-1])


def _are_whole(packed: NDArray[np.floating]) -> bool:
    """Whether floats are the numbers 0xRRGGBB themselves, as some programs write them, and not their bits.

    As bits, a colour is far below 1 or, with alpha, far below 0 or no number.
    """
    known = packed[np.isfinite(packed)]
    return bool(
        len(known)
        and known.min() >= 0
        and 1 <= known.max() <= _MOST_COLOUR
        and (known == np.floor(known)).all()
    )


_POINTS = {"ascii": _ascii, "binary": _binary, "binary_compressed": _compressed}
