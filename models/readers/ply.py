"""Organised PLY clouds. We parse the header; NumPy reads the numbers.

Our own parser is needed because it checks sizes before memory is allocated. `ply_header` says where the size
of the grid is looked for. A file may name no size. Then the size of the paired image counts, if the image has
as many pixels as the file has points. Points are stored row by row. x, y and z are float or double.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from models.readers.limits import ReadLimits, check_bytes, check_decoded, check_pixels, decoding
from models.readers.list_of_points import check_rows
from models.readers.makers import advice, notes
from models.readers.ply_grid import on_grid
from models.readers.ply_header import Header, ply_header
from models.readers.stored import Stored
from models.readers.units import unit_in
from models.sample import BadSample

_MAX_PROPERTIES = 64
_LINE_BYTES = 65_536  # far above a point's longest line
_COLOURS = (
    ("red", "green", "blue"),
    ("diffuse_red", "diffuse_green", "diffuse_blue"),
    ("r", "g", "b"),
)
_MOST_BYTE, _MOST_COLOUR = 0xFF, 0xFFFF
_NO_NUMBER = re.compile(rb"[-+]?1\.#\w+|[-+]?(?:s|q)?nan\([^()\s]*\)", re.I)
"""How programs of Windows print a number that is none: -1.#IND, 1.#QNAN, nan(ind)."""


def ply_cloud(data: bytes, limits: ReadLimits, image: tuple[int, int] | None = None) -> Stored:
    """Read xyz (H, W, 3) float32 or float64 as stored, and rgb (H, W, 3) uint8 if the points have colour.

    image: (H, W) of the paired image, for a file that names no size.
    Raises BadSample: unreadable, unorganised_cloud, cloud_fields, too_small; TooLarge.
    """
    check_bytes(data, limits.xyz_bytes, "PLY cloud")
    with decoding("PLY cloud"):
        header = ply_header(data)
        grid = header.range_grid
        height, width = _size(header, grid.count if grid else header.points.count, data, image)
        check_pixels(height, width, limits.xyz_pixels, limits, "PLY cloud")
        points = _points(data, header, limits)
        if grid:
            points = on_grid(points, data, header, grid)
        xyz = np.stack([points[axis] for axis in "xyz"], axis=1).reshape(height, width, 3)
        if (height, width) not in header.sizes(data):
            check_rows(xyz)
        return Stored(xyz, named_colour(points, height, width), unit_in(notes(data)))


def _size(header: Header, count: int, data: bytes, image: tuple[int, int] | None) -> tuple[int, int]:
    """(height, width) of a grid of `count` points. Raises BadSample."""
    named = list(header.sizes(data))
    for height, width in (*named, *([] if image is None else [image])):
        if height * width == count and min(height, width) > 1:
            return height, width
    if named:
        height, width = named[0]
        raise BadSample(
            "unorganised_cloud",
            f"The PLY header says {height} x {width} pixels, but the file has {count} points. Export the "
            f"cloud again, and keep the points without return.{advice(data)}",
        )
    compared = "" if image is None else f" The image has {image[0]} x {image[1]} pixels."
    raise BadSample(
        "unorganised_cloud",
        f"The PLY cloud is not organised: its header names no size of a grid. The file has {count} points."
        f"{compared} Scoring needs one point for every pixel of the image. Export the organised cloud, and "
        f"keep the points without return.{advice(data)}",
    )


def _points(data: bytes, header: Header, limits: ReadLimits) -> NDArray[np.void]:
    """(count,) structured array of all points."""
    element = header.points
    names = [name for name, _ in element.properties]
    if len(set(names)) < len(names) or len(names) > _MAX_PROPERTIES or not set("xyz") <= set(names):
        raise BadSample("cloud_fields", "The PLY's points must have x, y and z, and each property only once.")
    if any(number not in ("f4", "f8") for name, number in element.properties if name in "xyz"):
        raise BadSample("cloud_fields", "The PLY's x, y and z must be float or double.")
    dtype = element.dtype(header.order)
    check_decoded(element.count * dtype.itemsize, len(data), limits, "PLY cloud")
    skipped_bytes, skipped_lines = header.skipped()
    if header.encoding == "ascii":
        return ascii_points(data[header.start :], dtype, element.count, skipped_lines)
    return np.frombuffer(data, dtype, element.count, header.start + skipped_bytes)


def ascii_points(body: bytes, dtype: np.dtype, count: int, skipped: int = 0) -> NDArray[np.void]:
    """Read lines of numbers into a (count,) structured array, after `skipped` lines.

    Further lines are ignored. Raises ValueError; BadSample unreadable with the line that holds other words.
    """
    lines = _Lines(body)
    try:
        points = np.loadtxt(lines, dtype, comments=None, max_rows=count, ndmin=1, skiprows=skipped)
    except ValueError as error:
        raise BadSample(
            "unreadable",
            f"Line {lines.number} behind the header does not hold one number for each property of a point. "
            "Write each point on a line of its own, with blanks between the numbers and a point (no comma) "
            "as decimal sign.",
        ) from error
    if len(points) != count:
        raise ValueError("the file has fewer points than the header says")
    return points


class _Lines:
    """The lines that are not blank, one by one. number: of the line that was read last, from 1.

    If np.loadtxt gets a file, it holds the GIL until the last number (0.6 s for 34 MiB), and every other
    thread of the process waits. With lines from Python, it does not.
    """

    def __init__(self, body: bytes) -> None:
        self.number = 0
        self._stream = io.BytesIO(body)

    def __iter__(self) -> Iterator[bytes]:
        """Raises ValueError for a line that is too long."""
        while line := self._stream.readline(_LINE_BYTES):
            self.number += 1
            if len(line) == _LINE_BYTES:
                raise ValueError("a line is too long")
            if not line.isspace():
                yield _NO_NUMBER.sub(b"nan", line) if b"#" in line or b"(" in line else line


def named_colour(points: NDArray[np.void], height: int, width: int) -> NDArray[np.uint8] | None:
    """(H, W, 3) uint8 of the properties red, green and blue; None without them.

    Bytes are taken as they are, and fractions of 1 as fractions of 255. Of whole numbers above 255, the high
    byte of 16 bits is taken.
    """
    fields = points.dtype.fields or {}
    names = next((names for names in _COLOURS if set(names) <= fields.keys()), None)
    if names is None:
        return None
    colour = np.stack([points[name] for name in names], axis=1).reshape(height, width, 3)
    if colour.dtype.kind == "f":
        largest = np.max(colour, where=np.isfinite(colour), initial=0.0)
        colour = np.nan_to_num(colour) * (255.0 if largest <= 1.0 else 1.0)
        return np.rint(np.clip(colour, 0.0, 255.0)).astype(np.uint8)
    if colour.dtype.kind not in "iu" or colour.min() < 0 or colour.max() > _MOST_COLOUR:
        return None
    return (colour if colour.max() <= _MOST_BYTE else colour >> 8).astype(np.uint8)
