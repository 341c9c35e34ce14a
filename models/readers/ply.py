"""Organised PLY clouds. We parse the header; NumPy reads the numbers.

Our own parser is needed because it checks sizes before memory is allocated. A PLY file is a list of points.
It is organised if its header gives a width and a height, as range scanners write them: `obj_info num_cols
640` and `obj_info num_rows 480`, or comments `width 640` and `height 480` (a colon or an equals sign after
the word is accepted). Points are stored row by row.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.readers.limits import ReadLimits, check_bytes, check_decoded, check_pixels, decoding
from models.sample import BadSample

_HEADER_BYTES = 65_536
_MAX_PROPERTIES = 64
_LINE_BYTES = 65_536  # far above a point's longest line
_BYTE_ORDERS = {"binary_little_endian": "<", "binary_big_endian": ">", "ascii": "="}
_NUMBERS = {
    **{"char": "i1", "uchar": "u1", "short": "i2", "ushort": "u2", "int": "i4", "uint": "u4"},
    **{"int8": "i1", "uint8": "u1", "int16": "i2", "uint16": "u2", "int32": "i4", "uint32": "u4"},
    **{"float": "f4", "double": "f8", "float32": "f4", "float64": "f8"},
}
_SIDE = re.compile(r"(?:obj_info|comment)\s+(num_cols|num_rows|width|height)\s*[:=]?\s*(\d{1,9})\s*", re.I)
_COLOURS = ("red", "green", "blue")


@dataclass(frozen=True, slots=True)
class _Header:
    """properties: (name, NumPy type) of a point. start: position of the first number, bytes."""

    encoding: str
    count: int
    properties: tuple[tuple[str, str], ...]
    sides: dict[str, int]
    start: int


def ply_cloud(data: bytes, limits: ReadLimits) -> tuple[NDArray[np.floating], NDArray[np.uint8] | None]:
    """Read xyz (H, W, 3) float32 or float64 as stored, and rgb (H, W, 3) uint8 if the points have colour.

    Raises BadSample: unreadable, unorganised_cloud, cloud_fields, too_small; TooLarge.
    """
    check_bytes(data, limits.xyz_bytes, "PLY cloud")
    with decoding("PLY cloud"):
        header = _header(data)
        height, width = _size(header)
        check_pixels(height, width, limits.xyz_pixels, limits, "PLY cloud")
        points = _points(data, header, limits)
        xyz = np.stack([points[axis] for axis in "xyz"], axis=1)
        return xyz.reshape(height, width, 3), _colour(points, height, width)


def _header(data: bytes) -> _Header:
    head, mark, _ = data[:_HEADER_BYTES].partition(b"end_header")
    if not mark:
        raise ValueError("no end of header")
    start = data.index(b"\n", len(head)) + 1
    encoding, count, sides = "", -1, {}
    properties: list[tuple[str, str]] = []
    element = ""
    for line in head.decode("ascii", errors="replace").splitlines()[1:]:
        words = line.split()
        side = _SIDE.fullmatch(line.strip())
        if side:
            sides[side[1].lower()] = int(side[2])
        elif words[:1] == ["format"]:
            encoding = words[1]
        elif words[:1] == ["element"]:
            if not element and words[1] != "vertex":
                raise BadSample("cloud_fields", "The PLY's first element must be vertex.")
            element = words[1]
            count = int(words[2]) if element == "vertex" else count
        elif words[:1] == ["property"] and element == "vertex":
            properties.append(_property(words))
    return _Header(encoding, count, tuple(properties), sides, start)


def _property(words: list[str]) -> tuple[str, str]:
    if words[1] not in _NUMBERS:
        raise BadSample("cloud_fields", "The properties of the PLY's points must be numbers, not lists.")
    return words[2], _NUMBERS[words[1]]


def _size(header: _Header) -> tuple[int, int]:
    height = header.sides.get("num_rows", header.sides.get("height"))
    width = header.sides.get("num_cols", header.sides.get("width"))
    if not height or not width or height == 1 or width == 1:
        raise BadSample(
            "unorganised_cloud",
            "The PLY cloud is not organised: its header has no width and height. Scoring needs one point for "
            "every pixel of the image. Export the organised cloud with obj_info num_cols and num_rows in the "
            "header, and keep the points without return.",
        )
    if height * width != header.count:
        raise BadSample(
            "unorganised_cloud",
            f"The PLY header says {height} x {width} pixels, but the file has {header.count} points. Export "
            "the cloud again, and keep the points without return.",
        )
    return height, width


def _points(data: bytes, header: _Header, limits: ReadLimits) -> NDArray[np.void]:
    """(count,) structured array of all points."""
    names = [name for name, _ in header.properties]
    if len(set(names)) < len(names) or len(names) > _MAX_PROPERTIES or not set("xyz") <= set(names):
        raise BadSample("cloud_fields", "The PLY's points must have x, y and z, and each property only once.")
    if any(number not in ("f4", "f8") for name, number in header.properties if name in "xyz"):
        raise BadSample("cloud_fields", "The PLY's x, y and z must be float or double.")
    order = _BYTE_ORDERS[header.encoding]
    dtype = np.dtype([(name, order + number) for name, number in header.properties])
    check_decoded(header.count * dtype.itemsize, len(data), limits, "PLY cloud")
    if header.encoding == "ascii":
        return ascii_points(data[header.start :], dtype, header.count)
    return np.frombuffer(data, dtype, header.count, header.start)


def ascii_points(body: bytes, dtype: np.dtype, count: int) -> NDArray[np.void]:
    """Read lines of numbers into a (count,) structured array. Further lines are ignored. Raises
    ValueError."""
    points = np.loadtxt(_lines(body), dtype, comments=None, max_rows=count, ndmin=1)
    if len(points) != count:
        raise ValueError("the file has fewer points than the header says")
    return points


def _lines(body: bytes) -> Iterator[bytes]:
    """Yield the lines one by one. Raises ValueError.

    If np.loadtxt gets a file, it holds the GIL until the last number (0.6 s for 34 MiB), and every other
    thread of the process waits. With lines from Python, it does not.
    """
    stream = io.BytesIO(body)
    while line := stream.readline(_LINE_BYTES):
        if len(line) == _LINE_BYTES:
            raise ValueError("a line is too long")
        yield line


def _colour(points: NDArray[np.void], height: int, width: int) -> NDArray[np.uint8] | None:
    fields = points.dtype.fields or {}
    if any(name not in fields or fields[name][0] != np.uint8 for name in _COLOURS):
        return None
    return np.stack([points[name] for name in _COLOURS], axis=1).reshape(height, width, 3)
